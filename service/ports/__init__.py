"""What the use cases ask of the outside: faces from pictures, rows from SQL, hits from an index."""

from service.ports.audit import AuditRows, SearchRecord
from service.ports.exports import ExportRows
from service.ports.faces import FaceRows
from service.ports.feed import ChangeFeed, FaceBatch, FaceRead
from service.ports.galleries import GalleryRows
from service.ports.gates import GateRows
from service.ports.index import FaceIndex, FeedStatus, Indexes, IndexView, SearchResult
from service.ports.keys import KeyRows
from service.ports.matches import MatchRows
from service.ports.photographs import PhotographOpener, PhotographRows
from service.ports.recognition import Analysers, FaceAnalyser, Models, Picture
from service.ports.store import Store, Transaction
from service.ports.subjects import SubjectRows

__all__ = [
    "Analysers",
    "AuditRows",
    "ChangeFeed",
    "ExportRows",
    "FaceAnalyser",
    "FaceBatch",
    "FaceIndex",
    "FaceRead",
    "FaceRows",
    "FeedStatus",
    "GalleryRows",
    "GateRows",
    "IndexView",
    "Indexes",
    "KeyRows",
    "MatchRows",
    "Models",
    "PhotographOpener",
    "PhotographRows",
    "Picture",
    "SearchRecord",
    "SearchResult",
    "Store",
    "SubjectRows",
    "Transaction",
]
