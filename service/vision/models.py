"""The catalogue with what of it is on this machine."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from service.domain.embeddings import Alignment
from service.domain.models import Model, ModelWeights
from service.errors import ModelNotFound
from service.vision.catalogue import CATALOGUE, ModelSpec
from service.vision.engines import resolve_engine
from service.vision.weights import ModelStatus, list_models


@dataclass(frozen=True, slots=True)
class KnownModels:
    """See `ports.Models`. `home` and `engine` as for `load_analyser`."""

    home: Path
    engine: str

    def all(self) -> tuple[Model, ...]:
        return tuple(
            self._described(spec, tuple(statuses))
            for spec, statuses in groupby(list_models(self.home), key=lambda each: each.spec)
        )

    def named(self, name: str) -> Model:
        for model in self.all():
            if model.name == name:
                return model
        raise ModelNotFound(name, [spec.name for spec in CATALOGUE])

    def _described(self, spec: ModelSpec, files: tuple[ModelStatus, ...]) -> Model:
        engine = resolve_engine(self.engine)
        runs = any(each.present and engine in each.file.engines for each in files)
        alignments = [Alignment.DEEPFACE]
        if spec.native_threshold is not None:
            alignments.insert(0, Alignment.NATIVE)
        return Model(
            name=spec.name,
            dimension=spec.dimension,
            input_size=spec.input_size,
            default_detector=spec.default_detector,
            default_alignment=spec.default_alignment,
            thresholds=tuple((each, spec.default_threshold(each)) for each in alignments),
            licence=spec.licence,
            commercial_use=spec.commercial_use,
            weights=tuple(
                ModelWeights(
                    each.file.name,
                    each.file.engines,
                    each.present,
                    spec.about_bytes(each.file),
                    each.sha256 or None,
                )
                for each in files
            ),
            engine=engine if runs else None,
        )
