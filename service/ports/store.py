"""The database, a transaction at a time."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from service.domain.keys import Caller
from service.domain.matches import EVERYBODY, Glance, SubjectFilter
from service.domain.repeats import Attempt, KeptAnswer, Once
from service.ports.audit import AuditRows
from service.ports.consents import ConsentRows
from service.ports.exports import ExportRows
from service.ports.faces import FaceRows
from service.ports.feed import ChangeFeed
from service.ports.galleries import GalleryRows
from service.ports.gates import GateRows
from service.ports.keys import KeyRows
from service.ports.matches import MatchRows
from service.ports.photographs import PhotographRows
from service.ports.reembedding import ReembeddingRows
from service.ports.subjects import SubjectRows
from service.spool import QueueWork, QueueWorkers, Spool

Result = TypeVar("Result")


class Transaction(
    GalleryRows,
    SubjectRows,
    FaceRows,
    MatchRows,
    PhotographRows,
    GateRows,
    AuditRows,
    ExportRows,
    Protocol,
):
    """One database transaction; it commits when its `with` block ends without an exception."""

    @property
    def spool(self) -> Spool:
        """The bulk imports."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """What fails inside its block is undone, and the transaction goes on."""
        ...

    @property
    def keys(self) -> KeyRows: ...

    @property
    def consents(self) -> ConsentRows: ...

    @property
    def reembedding(self) -> ReembeddingRows: ...

    def begin_attempt(self, attempt: Attempt) -> KeptAnswer | None:
        """What was answered to this attempt before; None: it is this transaction's to carry out.

        Raises:
            AttemptInFlight: another transaction is at it.
            AttemptDiffers: the key was used for another request.
            AttemptErased: somebody whom the answer told of has been erased.
        """
        ...

    def keep_answer(self, attempt: Attempt, answer: KeptAnswer) -> None: ...

    def now(self) -> datetime:
        """The database's clock, with its time zone."""
        ...


class Store(Protocol):
    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """Open a transaction. A read-only one is repeatable read: all it reads is one state.

        Raises:
            DatabaseUnavailable: no connection, or it broke; nothing was committed that the
                caller knows of.
        """
        ...

    def glance(
        self, name: str, face_ids: Sequence[UUID] = (), among: SubjectFilter = EVERYBODY
    ) -> Glance | None:
        """What one statement says of a gallery, and of those of the faces that are in it and its
        space now; None where there is none of that name. Takes a fraction of the time that a
        transaction takes.

        Raises:
            GalleryMoved: its second space was found to be another one at this moment.
            RequestInvalid: the filter is none that jsonb can hold.
            DatabaseBusy: a lock was not had in time.
            DatabaseUnavailable: as for `transaction`; or the answer took longer than a lock may,
                on a connection that was not asked first whether it lives.
        """
        ...

    def write(
        self,
        work: Callable[[Transaction], Result],
        once: Once[Result] | None = None,
        *,
        by: Caller | None = None,
    ) -> Result:
        """Run `work` in a transaction of its own; after a deadlock or a serialization failure
        run it again from its beginning, a few times. With `once`, its answer is kept in the same
        transaction. The record names `by` as the one who makes its changes, None: the SQL user.

        Raises:
            Repeated: `once` was carried out before.
            AttemptInFlight, AttemptDiffers: see `Transaction.begin_attempt`.
            DatabaseBusy: a lock was not had in time, or the conflict stayed.
            DatabaseUnavailable: as for `transaction`.
        """
        ...

    def feed(self) -> ChangeFeed: ...

    def workers(self, work: QueueWork, threads: int) -> QueueWorkers:
        """Workers of the bulk imports, on connections of their own: three, whatever `threads`."""
        ...

    def close(self) -> None: ...
