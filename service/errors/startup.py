"""What keeps a command or the service from starting."""

from service.errors.bases import StartupError


class SettingsInvalid(StartupError):
    code = "invalid_settings"


class DatabaseUnsuitable(StartupError):
    code = "database_unsuitable"


class SchemaOutdated(StartupError):
    code = "schema_outdated"


class SpaceConflict(StartupError):
    code = "embedding_space_conflict"


class ModelUnknown(StartupError):
    code = "unknown_model"


class WeightsMissing(StartupError):
    code = "weights_missing"


class WeightsInvalid(StartupError):
    code = "weights_invalid"


class EngineUnavailable(StartupError):
    code = "engine_unavailable"


class GalleryUnknown(StartupError):
    code = "unknown_gallery"


class CalibrationImpossible(StartupError):
    """The gallery's scores do not support a threshold."""

    code = "calibration_impossible"


class InputFileInvalid(StartupError):
    code = "invalid_input_file"
