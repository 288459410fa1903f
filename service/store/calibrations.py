"""SQL of calibrations: the threshold and its evidence change together."""

from sqlalchemy import Connection, RowMapping, and_, update
from sqlalchemy.dialects.postgresql import insert

from service.domain.calibrations import Calibration, Tail
from service.domain.galleries import Gallery
from service.errors import GalleryNotReady
from service.store.tables import gallery, gallery_calibration

PREFIX = "calibration_"

COLUMNS = [
    column.label(PREFIX + column.name)
    for column in gallery_calibration.c
    if column.name not in {"gallery_id", "space_id"}
]
"""Labelled, to stand beside the gallery's own in one row."""

OF_ITS_GALLERY = and_(
    gallery_calibration.c.gallery_id == gallery.c.id,
    gallery_calibration.c.space_id == gallery.c.space_id,
)


def save(connection: Connection, calibrated: Gallery, calibration: Calibration) -> None:
    """Raises GalleryNotReady when the gallery is gone, or bound to another space now."""
    moved = connection.execute(
        update(gallery)
        .where(gallery.c.id == calibrated.id, gallery.c.space_id == calibrated.space_id)
        .values(threshold=calibration.threshold)
    )
    if moved.rowcount != 1:
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


def of_row(row: RowMapping) -> Calibration | None:
    """From a row that has `COLUMNS`, all null where there is none."""
    found = {column.name: row[column.name] for column in COLUMNS}
    value = {name.removeprefix(PREFIX): given for name, given in found.items()}
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
