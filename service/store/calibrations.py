"""SQL of calibrations: the threshold and its evidence change together."""

from typing import Any

from sqlalchemy import Connection, FromClause, Label, Table, update
from sqlalchemy.dialects.postgresql import insert

from service.domain.calibrations import Calibration, Tail
from service.domain.galleries import Gallery
from service.errors import GalleryNotReady
from service.store.connections import Row
from service.store.tables import gallery, gallery_calibration, reembedding

NAMES = [
    column.name for column in gallery_calibration.c if column.name not in {"gallery_id", "space_id"}
]
DECIDING = (gallery, reembedding)
"""Where the threshold of a gallery's space stands: of its own, or of the other one."""


def columns(of: FromClause, prefix: str) -> list[Label[Any]]:
    """The calibration's, labelled, to stand beside the gallery's own in one row."""
    return [of.c[name].label(prefix + name) for name in NAMES]


def save(connection: Connection, calibrated: Gallery, calibration: Calibration) -> None:
    """In the space that the gallery was measured in.

    Raises GalleryNotReady when the gallery is gone, or not in that space any more.
    """
    if not any(_decided(connection, calibrated, calibration, table) for table in DECIDING):
        raise GalleryNotReady(
            f"Gallery '{calibrated.name}' was deleted or bound to another embedding space while "
            "it was measured; nothing was changed, calibrate it again."
        )
    values = _values(calibration) | {"space_id": calibrated.space_id}
    connection.execute(
        insert(gallery_calibration)
        .values(gallery_id=calibrated.id, **values)
        .on_conflict_do_update(constraint="pk_gallery_calibration", set_=values)
    )


def _decided(
    connection: Connection, calibrated: Gallery, calibration: Calibration, table: Table
) -> bool:
    owner = table.c.id if table is gallery else table.c.gallery_id
    changed = connection.execute(
        update(table)
        .where(owner == calibrated.id, table.c.space_id == calibrated.space_id)
        .values(threshold=calibration.threshold)
    )
    return changed.rowcount == 1


def _values(calibration: Calibration) -> dict[str, object]:
    tail = calibration.tail
    return {
        "fpir": calibration.fpir,
        "threshold": calibration.threshold,
        "threshold_low": calibration.low,
        "threshold_high": calibration.high,
        "subjects": calibration.subjects,
        "faces": calibration.faces,
        "suspects": calibration.suspects,
        "tail_start": tail.start,
        "tail_share": tail.share,
        "tail_power": tail.power,
        "version": calibration.version,
        "release": calibration.release,
        "calibrated_at": calibration.calibrated_at,
    }


def of_row(row: Row, prefix: str) -> Calibration | None:
    """From a row that has the `columns`, all null where there is none."""
    value = {name: row[prefix + name] for name in NAMES}
    if value["fpir"] is None:
        return None
    return Calibration(
        fpir=value["fpir"],
        threshold=value["threshold"],
        low=value["threshold_low"],
        high=value["threshold_high"],
        subjects=value["subjects"],
        faces=value["faces"],
        suspects=value["suspects"],
        tail=Tail(value["tail_start"], value["tail_share"], value["tail_power"]),
        version=value["version"],
        release=value["release"],
        calibrated_at=value["calibrated_at"],
    )
