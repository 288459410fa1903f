"""The in-memory index of one gallery, on FAISS."""

from service.index.gallery_index import GalleryIndex, IndexBuilder

__all__ = ["GalleryIndex", "IndexBuilder"]
