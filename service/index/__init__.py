"""The in-memory index of one gallery, on FAISS."""

from service.index.gallery_index import GalleryIndex, IndexBuilder
from service.index.living import Living
from service.index.state import State

__all__ = ["GalleryIndex", "IndexBuilder", "Living", "State"]
