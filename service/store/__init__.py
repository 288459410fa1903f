"""SQL: Postgres with pgvector is the truth. Nothing above sees a session or a row."""

from service.store.stores import PostgresStore, open_store

__all__ = ["PostgresStore", "open_store"]
