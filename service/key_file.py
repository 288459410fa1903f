"""The file with the key of the first start, for those who start on their own machine."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.domain.keys import Secret

NAME = "admin.key"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """`path` is readable by its owner only, who could make keys anyhow."""

    path: Path

    @classmethod
    def of(cls, home: Path) -> "KeyFile":
        return cls(home / NAME)

    def write(self, secret: Secret) -> None:
        """Put the key in place of the one before; raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f"{NAME}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{secret.text}\n")
            temporary.rename(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def read(self) -> Secret | None:
        """None where there is no such file, or none that this user may read."""
        try:
            return Secret.parse(self.path.read_text().strip())
        except (OSError, UnicodeError):
            return None

    def forget(self, prefix: str) -> None:
        """Remove the file if it holds that key, which has ended."""
        found = self.read()
        if found is not None and found.prefix == prefix:
            with suppress(OSError):
                self.path.unlink()
