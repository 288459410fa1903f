"""Results of the use cases as the answers' schemas."""

from service.domain.calibrations import Calibration
from service.domain.galleries import GalleryVersion
from service.domain.replicas import ReplicaState
from service.galleries import GalleryFigures
from service.searches import Searched
from service.subjects import Deleted
from service.web import schemas


def match(found: Searched, took_ms: float) -> schemas.Matched | schemas.NotMatched:
    """Of a search of one gallery for one face and one subject."""
    (gallery,), (face,) = found.galleries, found.faces
    if not face.matches:
        return schemas.NotMatched(
            similarity_score=face.best, threshold=gallery.threshold, processing_time_ms=took_ms
        )
    (best,) = face.matches
    return schemas.Matched(
        matched_id=best.external_id,
        similarity_score=best.similarity,
        threshold=gallery.threshold,
        confidence=best.confidence.value,
        processing_time_ms=took_ms,
    )


def face_deleted(face_id: str, deleted: Deleted) -> schemas.FaceDeleted:
    """Without `replicas` where nobody asked for them."""
    answer = schemas.FaceDeleted(
        message="Face deleted successfully",
        deleted_id=face_id,
        remaining_faces=deleted.remaining_faces,
    )
    if deleted.replicas is not None:
        answer.replicas = spread(deleted.replicas, deleted.version)
    return answer


def spread(replicas: list[ReplicaState], version: GalleryVersion) -> schemas.Replicas:
    """Which replicas were seen to hold that version."""
    live = [each for each in replicas if each.live]
    return schemas.Replicas(
        applied=[each.name for each in live if each.holds(version)],
        pending=[each.name for each in live if not each.holds(version)],
        dead=[each.name for each in replicas if not each.live],
    )


def stats(figures: GalleryFigures, uptime_s: float) -> schemas.Stats:
    gallery, space = figures.gallery, figures.gallery.space
    return schemas.Stats(
        total_faces=figures.faces,
        model=space.model,
        embedding_dimension=space.dimension,
        database_size_mb=round(figures.database_bytes / 1e6, 3),
        uptime_seconds=uptime_s,
        last_updated=gallery.updated_at,
        gallery=gallery.name,
        threshold=gallery.threshold,
        calibration=_calibration(gallery.calibration),
        max_faces=gallery.max_faces,
        detector=space.detector,
        alignment=space.alignment,
        weights_sha256=space.weights_sha256,
        indexed_faces=figures.indexed,
        replicas=[_replica(each, gallery.version) for each in figures.replicas],
    )


def _calibration(made: Calibration | None) -> schemas.Calibration | None:
    if made is None:
        return None
    return schemas.Calibration(
        fpir=made.fpir, calibrated_at=made.calibrated_at, subjects=made.subjects
    )


def _replica(state: ReplicaState, head: GalleryVersion) -> schemas.Replica:
    return schemas.Replica(
        name=state.name,
        state="live" if state.live else "dead",
        version=str(state.version) if state.version else None,
        behind=max(0, head.number - state.version.number) if state.version else None,
        last_success=state.seen_at,
        silent_seconds=round(max(0.0, state.silent_s), 3),
        checked_at=state.checked_at,
        differences=state.differences,
    )
