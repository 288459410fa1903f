"""The models that can be served, and what is known of each. Plain data; loads nothing.

`input_size`, `dimension` and the file names are those of DeepFace 0.0.103's own classes, and
`deepface_threshold` is 1 - the cosine distance of `deepface.config.threshold`; a test compares
all of them with the installed DeepFace. docs/models.md has the sources of sizes and licences.
"""

from dataclasses import dataclass

from service.domain.embeddings import Alignment
from service.errors import ModelUnknown, SettingsInvalid
from service.vision.engines import DLIB, GRAPH_ENGINES, ONNXRUNTIME, TENSORFLOW

DETECTORS = ("dlib", "opencv", "mtcnn", "yunet", "retinaface", "ssd", "centerface", "skip")

# dlib states 99.38 % on LFW at a Euclidean distance of 0.6 between raw descriptors
# (python_examples/face_recognition.py of dlib). Raw descriptors of 64 photographs have lengths
# from 1.38 to 1.63, 1.516 in the mean; of two such vectors a distance of 0.6 is the similarity
# 1 - 0.6**2 / (2 * 1.516**2) = 0.922. On 300 labelled pairs with this alignment the lowest
# similarity of one person is 0.9275 and the highest of two people 0.9159; over nine ways to
# decode, shrink, recompress or mirror the photographs they are 0.9232 and 0.9193 at worst. So
# 0.922 decides all of them rightly, with more room on the side of false accepts.
DLIB_NATIVE_THRESHOLD = 0.922


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file of one engine. `name` is relative to DeepFace's weights folder.

    `size_bytes` is None where no reliable source states it. `source` is the DeepFace module
    whose constants name the download addresses and `constant` the name of the constant there;
    None for an address that is written inside a function.
    """

    engine: str
    name: str
    size_bytes: int | None
    source: str
    constant: str | None = "WEIGHTS_URL"

    @property
    def engines(self) -> tuple[str, ...]:
        """All that it can run on, the preferred one first: every file is a graph, or one is made
        of it."""
        return tuple(dict.fromkeys((*GRAPH_ENGINES, self.engine)))


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One recognition model. `input_size` is (width, height) in pixels."""

    name: str
    dimension: int
    input_size: tuple[int, int]
    weights: tuple[WeightsFile, ...]
    licence: str
    commercial_use: bool | None
    """None: upstream does not say clearly; read the licence before selling anything."""
    deepface_threshold: float
    native_threshold: float | None = None
    native_threshold_source: str = "as with deepface; not measured with this alignment"
    default_detector: str = "dlib"
    needs: str | None = None
    """A package that the model needs besides its engine."""
    parameters: int | None = None
    """Of DeepFace's Keras network, counted; None where there is none to count."""

    def about_bytes(self, file: WeightsFile) -> int | None:
        """The file's size where a source states it, else that of its float32 parameters: known
        files are up to 6 % larger."""
        if file.size_bytes is not None or self.parameters is None:
            return file.size_bytes
        return 4 * self.parameters

    @property
    def default_alignment(self) -> Alignment:
        return Alignment.DEEPFACE if self.native_threshold is None else Alignment.NATIVE

    def default_threshold(self, alignment: Alignment) -> float:
        """Threshold on cosine similarity for a new gallery of this model and alignment.

        Raises:
            SettingsInvalid: the model has no such alignment.
        """
        if alignment is Alignment.DEEPFACE:
            return self.deepface_threshold
        if self.native_threshold is None:
            raise SettingsInvalid(f"ALIGNMENT: {self.name} has no native alignment; use deepface")
        return self.native_threshold

    def threshold_source(self, alignment: Alignment) -> str:
        """Where the default threshold comes from, in a few words; see docs/models.md."""
        if alignment is Alignment.NATIVE:
            return self.native_threshold_source
        return "1 - the cosine distance of DeepFace's own configuration"

    def weights_for(self, engine: str) -> WeightsFile | None:
        """The file to get for that engine."""
        return next(iter(self.all_weights_for(engine)), None)

    def all_weights_for(self, engine: str) -> tuple[WeightsFile, ...]:
        """Every file that it can run, the preferred one first."""
        return tuple(file for file in self.weights if engine in file.engines)

    @property
    def engines(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(engine for file in self.weights for engine in file.engines))


def _onnx(
    name: str, module: str, size: int | None = None, constant: str | None = "WEIGHTS_URL"
) -> WeightsFile:
    return WeightsFile(
        ONNXRUNTIME, name, size, f"deepface.models.facial_recognition.onnx.{module}", constant
    )


def _keras(
    name: str, module: str, size: int | None = None, constant: str = "WEIGHTS_URL"
) -> WeightsFile:
    return WeightsFile(
        TENSORFLOW, name, size, f"deepface.models.facial_recognition.tf.{module}", constant
    )


_SEE_UPSTREAM = "see upstream"

CATALOGUE: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="Dlib",
        dimension=128,
        input_size=(150, 150),
        weights=(
            WeightsFile(
                DLIB,
                "dlib_face_recognition_resnet_model_v1.dat",
                22_466_066,
                "deepface.models.facial_recognition.dlib.Dlib",
                "WEIGHT_URL",
            ),
        ),
        licence="CC0 1.0 (public domain)",
        commercial_use=True,
        deepface_threshold=0.93,
        native_threshold=DLIB_NATIVE_THRESHOLD,
        native_threshold_source="dlib's distance of 0.6, confirmed on 300 labelled pairs",
    ),
    ModelSpec(
        name="ArcFace",
        parameters=34_165_184,
        dimension=512,
        input_size=(112, 112),
        weights=(
            _onnx("arcface_weights.onnx", "ArcFace"),
            _keras("arcface_weights.h5", "ArcFace"),
        ),
        licence="MIT upstream (Keras_insightface); training data unclear, see upstream",
        commercial_use=None,
        deepface_threshold=0.32,
        native_threshold=0.32,
    ),
    ModelSpec(
        name="Facenet",
        parameters=22_808_144,
        dimension=128,
        input_size=(160, 160),
        weights=(
            _onnx("facenet_weights.onnx", "Facenet", constant="FACENET128_WEIGHTS"),
            _keras("facenet_weights.h5", "Facenet", constant="FACENET128_WEIGHTS"),
        ),
        licence="MIT upstream (davidsandberg/facenet); training data unclear, see upstream",
        commercial_use=None,
        deepface_threshold=0.60,
        native_threshold=0.60,
    ),
    ModelSpec(
        name="Facenet512",
        parameters=23_497_424,
        dimension=512,
        input_size=(160, 160),
        weights=(
            _onnx("facenet512_weights.onnx", "Facenet", constant="FACENET512_WEIGHTS"),
            _keras("facenet512_weights.h5", "Facenet", constant="FACENET512_WEIGHTS"),
        ),
        licence="MIT upstream (davidsandberg/facenet); training data unclear, see upstream",
        commercial_use=None,
        deepface_threshold=0.70,
        native_threshold=0.70,
    ),
    ModelSpec(
        name="VGG-Face",
        parameters=134_260_544,
        dimension=4096,
        input_size=(224, 224),
        weights=(
            _onnx("vgg_face_weights.onnx", "VGGFace"),
            _keras("vgg_face_weights.h5", "VGGFace"),
        ),
        licence="non-commercial (Oxford VGG), see upstream",
        commercial_use=False,
        deepface_threshold=0.32,
    ),
    ModelSpec(
        name="OpenFace",
        parameters=3_743_280,
        dimension=128,
        input_size=(96, 96),
        weights=(
            _onnx("openface_weights.onnx", "OpenFace"),
            _keras("openface_weights.h5", "OpenFace", 15_307_128),
        ),
        licence=_SEE_UPSTREAM,
        commercial_use=None,
        deepface_threshold=0.90,
    ),
    ModelSpec(
        name="SFace",
        dimension=128,
        input_size=(112, 112),
        weights=(_onnx("face_recognition_sface_2021dec.onnx", "SFace", 38_696_353),),
        licence="Apache 2.0 (opencv_zoo)",
        commercial_use=True,
        deepface_threshold=0.407,
        native_threshold=0.363,
        native_threshold_source="OpenCV's own for this model; not measured here",
    ),
    ModelSpec(
        name="DeepID",
        parameters=395_080,
        dimension=160,
        input_size=(47, 55),
        weights=(
            _onnx("deepid_weights.onnx", "DeepID"),
            _keras("deepid_keras_weights.h5", "DeepID"),
        ),
        licence=_SEE_UPSTREAM,
        commercial_use=None,
        deepface_threshold=0.985,
    ),
    ModelSpec(
        name="GhostFaceNet",
        parameters=4_088_812,
        dimension=512,
        input_size=(112, 112),
        weights=(
            _onnx("ghostfacenet_v1.onnx", "GhostFaceNet"),
            _keras("ghostfacenet_v1.h5", "GhostFaceNet", 17_271_840),
        ),
        licence="MIT upstream (GhostFaceNets); training data unclear, see upstream",
        commercial_use=None,
        deepface_threshold=0.35,
        native_threshold=0.35,
    ),
    ModelSpec(
        name="Buffalo_L",
        dimension=512,
        input_size=(112, 112),
        weights=(_onnx("buffalo_l/webface_r50.onnx", "Buffalo_L", constant=None),),
        licence="non-commercial research only (InsightFace)",
        commercial_use=False,
        deepface_threshold=0.45,
        native_threshold=0.45,
        needs="insightface",
    ),
    ModelSpec(
        # no h5 file: its LocallyConnected2D layer does not exist in TensorFlow 2.21
        name="DeepFace",
        dimension=4096,
        input_size=(152, 152),
        weights=(_onnx("VGGFace2_DeepFace_weights_val-0.9034.onnx", "FbDeepFace"),),
        licence=_SEE_UPSTREAM,
        commercial_use=None,
        deepface_threshold=0.77,
    ),
)


def find_model(name: str) -> ModelSpec:
    """The model of that name; letter case matters.

    Raises:
        ModelUnknown: there is none; the message lists the names.
    """
    for spec in CATALOGUE:
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in CATALOGUE)
    raise ModelUnknown(f"There is no model '{name}'. Known models: {names}.")
