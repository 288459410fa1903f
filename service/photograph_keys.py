"""The keys that photographs are kept under: from the operator, never in the database.

AES-256-GCM. Each photograph has a nonce of its own, and is bound to its kind, to its face, that
one's gallery, and the SHA-256 of the file that was uploaded: what was changed, or put in another
face's place, cannot be opened.
"""

import base64
import binascii
import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.domain.photographs import Keeping, KeptPhotograph, OpenPhotograph, Sealed
from service.errors import PhotographDamaged, PhotographKeyMissing, SettingsInvalid

NAME = "photograph.keys"
"""Of the file in FACEMATCH_HOME: a key a line, the first one seals."""
KEY_BYTES = 32
NONCE_BYTES = 12
ID_DIGITS = 16


@dataclass(frozen=True, slots=True, repr=False)
class PhotographKey:
    """Its `repr` shows nothing of it."""

    secret: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """32 bytes in base64; raises SettingsInvalid and never repeats the text."""
        try:
            secret = base64.b64decode(text.translate({45: 43, 95: 47}), validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != KEY_BYTES:
            raise SettingsInvalid(
                f"PHOTOGRAPH_KEYS: a key is {KEY_BYTES} bytes in base64; make one with "
                "`facematch photographs new-key`"
            )
        return cls(secret)

    @classmethod
    def new(cls) -> Self:
        return cls(AESGCM.generate_key(8 * KEY_BYTES))

    @property
    def text(self) -> str:
        return base64.b64encode(self.secret).decode()

    @property
    def id(self) -> str:
        """Names it in the database; nothing follows from it."""
        return hashlib.sha256(b"facematch photograph key " + self.secret).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True)
class PhotographKeys:
    """The first one seals, all of them open."""

    keys: tuple[PhotographKey, ...] = ()

    @classmethod
    def read(cls, setting: str | None, home: Path) -> Self:
        """Those of PHOTOGRAPH_KEYS, between commas, or else of the file.

        Raises:
            SettingsInvalid: one is no key; or others than the file's owner may read it.
        """
        lines = setting.split(",") if setting is not None else _lines(home / NAME)
        return cls(tuple(PhotographKey.parse(line.strip()) for line in lines if line.strip()))

    @property
    def sealing(self) -> PhotographKey:
        """Raises PhotographKeyMissing where there is none at all."""
        if not self.keys:
            raise PhotographKeyMissing
        return self.keys[0]

    def check(self, keeping: Keeping) -> None:
        """Raises PhotographKeyMissing where photographs are to be kept and there is no key."""
        if keeping is not Keeping.NONE and not self.keys:
            raise PhotographKeyMissing

    def seal(self, photograph: OpenPhotograph) -> Sealed:
        """Raises PhotographKeyMissing."""
        key, nonce = self.sealing, os.urandom(NONCE_BYTES)
        sealed = AESGCM(key.secret).encrypt(nonce, photograph.content, _bound(photograph))
        return Sealed(photograph.kind, key.id, nonce + sealed)

    def open(self, kept: KeptPhotograph) -> OpenPhotograph:
        """See `ports.PhotographOpener`."""
        sealed = kept.sealed
        key = next((each for each in self.keys if each.id == sealed.key_id), None)
        if key is None:
            raise PhotographKeyMissing(sealed.key_id)
        said = OpenPhotograph(kept.face_id, kept.gallery_id, sealed.kind, kept.image_sha256, b"")
        nonce, content = sealed.content[:NONCE_BYTES], sealed.content[NONCE_BYTES:]
        try:
            return replace(said, content=AESGCM(key.secret).decrypt(nonce, content, _bound(said)))
        except (InvalidTag, ValueError):
            raise PhotographDamaged(kept.face_id) from None


NO_KEYS = PhotographKeys()


def _bound(to: OpenPhotograph) -> bytes:
    kind = to.kind.value.encode()
    return b" ".join((b"facematch", kind, to.gallery_id.bytes + to.face_id.bytes + to.image_sha256))


def _lines(path: Path) -> Sequence[str]:
    try:
        with path.open() as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SettingsInvalid(
                    f"{path} holds keys and others than its owner may read it: chmod 600 {path}"
                )
            return file.read().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeError) as error:
        raise SettingsInvalid(f"{path} cannot be read: {error}") from error


def put_first(home: Path, key: PhotographKey) -> Path:
    """Put a key in front of those in the file, which is readable by its owner only; raises
    SettingsInvalid."""
    path = home / NAME
    present = _lines(path)
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{NAME}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write("\n".join([key.text, *present]) + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be written: {error}") from error
    return path
