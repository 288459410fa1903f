"""Settings: read once from the environment by wiring and the CLI, frozen afterwards."""

import ipaddress
import re
import socket
from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import SettingsInvalid

Similarity = Annotated[float, Field(ge=-1.0, le=1.0)]
Pixels = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Grey = Annotated[float, Field(ge=0, le=255)]
Degrees = Annotated[float, Field(ge=0, le=90)]


def _postgres_url(value: SecretStr) -> SecretStr:
    scheme = value.get_secret_value().partition("://")[0]
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("must begin with postgresql://")
    return value


def _address(value: str) -> str:
    try:
        socket.getaddrinfo(value, None)
    except OSError:
        raise ValueError("is no address of this machine and no name of one") from None
    return value


def _not_blank(value: str) -> str:
    if value.isspace():
        raise ValueError("must not be blank")
    return value


def _rates(value: str) -> str:
    for rate in value.split(";"):
        match = RATE.fullmatch(rate.strip())
        if match is None or not 1 <= int(match[1]) <= MOST_REQUESTS:
            raise ValueError(
                "write 100/second, or several with semicolons: 100/second;5000/hour; "
                f"up to {MOST_REQUESTS} each, per second, minute, hour or day"
            )
    return value


def _origins(value: str) -> str:
    for origin in _listed(value):
        if ORIGIN.fullmatch(origin) is None:
            raise ValueError("write https://console.example.org, or several with commas")
    return value


def _listed(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")
RATE = re.compile("([0-9]{1,9})/(second|minute|hour|day)")
MOST_REQUESTS = 100_000
"""Each is remembered for as long as it counts."""

PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


class Settings(BaseSettings):
    """Every setting is an environment variable of the same name in upper case.

    An empty variable counts as unset. Units are in the names: `_s` seconds, `_bytes` bytes.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    database_url: PostgresUrl | None = Field(
        None, description="PostgreSQL 15+ with pgvector 0.8.4+; unset: the embedded PostgreSQL"
    )
    database_direct_url: PostgresUrl | None = Field(
        None, description="direct connection for LISTEN where DATABASE_URL goes through a pooler"
    )
    facematch_home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("facematch")),
        description="data folder: embedded database and weights",
    )
    host: Annotated[str, AfterValidator(_address)] = Field(
        "127.0.0.1", min_length=1, description="address to listen on"
    )
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    workers: int = Field(
        1, ge=1, le=64, description="processes that serve; they share the index's memory"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe log lines to print"
    )

    allow_anonymous: bool = Field(
        False, description="whoever sends no key may do everything; loopback addresses only"
    )
    rate_limit: Annotated[str, AfterValidator(_rates)] | None = Field(
        None, description="requests of one key to one replica, as 100/second;5000/hour"
    )
    failed_key_limit: Annotated[str, AfterValidator(_rates)] = Field(
        "30/minute",
        description="keys that are none, of one address to one replica, before 429 instead of 401",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] | None = Field(
        None, description="web pages of other origins that may call, as https://a.org,https://b.org"
    )

    model_name: str = Field("Dlib", description="recognition model, see `facematch models list`")
    detector: str | None = Field(
        None, description="face detector of a new default gallery; unset: the model's default"
    )
    alignment: Literal["native", "deepface"] | None = Field(
        None, description="alignment of a new default gallery; unset: the model's default"
    )
    engine: Literal["auto", "onnxruntime", "openvino", "openvino-bf16", "tensorflow", "dlib"] = (
        Field("auto", description="what runs the model; auto: onnxruntime")
    )
    default_gallery: Annotated[str, AfterValidator(_not_blank)] | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="gallery of the endpoints without one; unset: the model's name in lower case",
    )
    similarity_threshold: Similarity | None = Field(
        None, description="first threshold of a new default gallery; unset: the catalogue's"
    )
    arcface_threshold: Similarity | None = Field(
        None, description="the same, when the model is ArcFace; wins over SIMILARITY_THRESHOLD"
    )
    max_faces: int | None = Field(
        None, ge=1, description="first limit of a new default gallery; unset: no limit"
    )
    database_path: Path | None = Field(
        None, description="default argument of `facematch import-json`"
    )

    photograph_keys: SecretStr | None = Field(
        None,
        description="what kept photographs are sealed with: base64 of 32 bytes, several with "
        "commas; unset: the file photograph.keys of FACEMATCH_HOME",
    )

    max_image_bytes: int = Field(
        10_000_000, ge=1_000, description="largest photograph accepted, in bytes"
    )
    max_image_pixels: int = Field(
        40_000_000, ge=10_000, description="largest photograph accepted, in pixels"
    )
    max_import_bytes: int = Field(
        2_000_000_000,
        ge=1_000,
        description="largest bulk import, in bytes, as it is sent and once it is unpacked",
    )
    max_import_items: int = Field(
        100_000, ge=1, le=10_000_000, description="photographs of one bulk import"
    )
    import_workers: int = Field(
        1, ge=0, le=64, description="threads of each serving process that work on bulk imports"
    )
    job_retention_s: float = Field(
        604_800.0, gt=0, description="how long the results of an ended bulk import are kept"
    )
    max_faces_per_photograph: int = Field(
        32, ge=1, le=1000, description="faces searched for, at most, of one photograph"
    )
    database_pool_size: int = Field(
        10, ge=2, le=500, description="connections to the database that one process may hold"
    )
    database_timeout_s: float = Field(
        5.0, gt=0, le=300, description="longest wait for a connection or a lock before 503"
    )
    recognition_workers: int | None = Field(
        None, ge=1, le=256, description="photographs processed at once; unset: the CPU cores"
    )
    recognition_timeout_s: float = Field(
        10.0, gt=0, le=300, description="longest wait for a free recognition worker before 503"
    )
    enrol_min_face_px: Pixels = Field(48, description="least size of a face to enrol, in pixels")
    enrol_min_sharpness: Share = Field(0.35, description="its least sharpness, 0 to 1")
    enrol_min_brightness: Grey = Field(20, description="its least brightness, 0 to 255")
    enrol_max_brightness: Grey = Field(210, description="its greatest brightness, 0 to 255")
    enrol_min_contrast: Grey = Field(8, description="least deviation of its grey values")
    enrol_max_yaw: Degrees = Field(35, description="how far its head may be turned, in degrees")
    enrol_min_score: float | None = Field(
        None, description="its detector's least score; unset: the detector's own limit alone"
    )
    search_min_face_px: Pixels = Field(24, description="the same of a face searched for")
    search_min_sharpness: Share = Field(0.18, description="the same of a face searched for")
    search_min_brightness: Grey = Field(5, description="the same of a face searched for")
    search_max_brightness: Grey = Field(240, description="the same of a face searched for")
    search_min_contrast: Grey = Field(2, description="the same of a face searched for")
    search_max_yaw: Degrees = Field(60, description="the same of a face searched for")
    search_min_score: float | None = Field(None, description="the same of a face searched for")
    feed_poll_s: float = Field(
        1.0, gt=0, le=60, description="longest time between looks at the change feed"
    )
    digest_every_s: float = Field(
        300.0, gt=0, le=86_400, description="time between comparisons of the index with the table"
    )
    feed_stale_s: float = Field(
        15.0, gt=0, le=3600, description="not ready when the last catch-up is older than this"
    )
    change_retention_s: float = Field(
        86_400.0,
        gt=0,
        description="how long a gallery's changes, and so its versions, are known at least",
    )
    retention_every_s: float = Field(
        60.0, gt=0, le=86_400, description="time between looks for subjects whose time is over"
    )
    snapshots: bool = Field(
        True, description="keep the indexes in files of FACEMATCH_HOME too, for fast starts"
    )
    write_wait_s: float = Field(
        5.0, gt=0, le=300, description="longest wait of a write for this replica's own index"
    )
    wait_all_s: float = Field(
        10.0, gt=0, le=300, description="longest wait of a deletion with ?wait=all"
    )

    @classmethod
    def read(cls, **overrides: object) -> Self:
        """Settings from the environment; `overrides` that are not None win over it.

        Raises:
            SettingsInvalid: a value is wrong; the message names every wrong variable.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)  # type: ignore[arg-type]  # pydantic checks the values
        except ValidationError as error:
            raise SettingsInvalid(_sentences(error)) from None

    def origins(self) -> tuple[str, ...]:
        """CORS_ORIGINS, one by one."""
        return _listed(self.cors_origins)

    def on_loopback(self) -> bool:
        """Whether nobody but this machine reaches the address that is listened on."""
        found = [entry[4][0] for entry in socket.getaddrinfo(self.host, None)]
        return all(ipaddress.ip_address(str(each).partition("%")[0]).is_loopback for each in found)

    def gallery_name(self) -> str:
        return self.default_gallery or self.model_name.lower()

    def first_threshold(self) -> float | None:
        """The threshold the environment gives a new default gallery, if it gives one."""
        if self.model_name == "ArcFace" and self.arcface_threshold is not None:
            return self.arcface_threshold
        return self.similarity_threshold


def _sentences(error: ValidationError) -> str:
    """One sentence for each wrong variable, without its value: it may be a secret."""
    return "; ".join(
        f"{str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors()
    )
