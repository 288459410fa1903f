"""A database with one empty gallery, as for the store's tests."""

from tests.store.conftest import clean_url, gallery, psql, shared_url, store

__all__ = ["clean_url", "gallery", "psql", "shared_url", "store"]
