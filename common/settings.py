"""Reading a node's settings: a YAML document under environment variables that override it.

The key ``General.TLS.Enabled`` under the prefix ``ORDERER`` is overridden by the variable
``ORDERER_GENERAL_TLS_ENABLED``; case does not matter in the document.  Keys nobody asks for
are ignored, so a document of Fabric's can be given as it is (Fabric: its use of viper).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from .documents import load_yaml
from .errors import GridloomError

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "t", "yes"})
_FALSE = frozenset({"false", "0", "f", "no"})


class InvalidSetting(GridloomError):
    """A setting that cannot be used: its key (``General.ListenPort``) and what is wrong."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


class SettingsSource:
    """The settings below ``prefix``; relative paths count from ``folder``."""

    def __init__(
        self,
        document: Mapping[str, object],
        prefix: str,
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._document = document
        self._prefix = prefix
        self._environment = environment
        self._folder = folder

    @staticmethod
    def load(path: Path, prefix: str, environment: Mapping[str, str]) -> SettingsSource:
        """Read the document at ``path``; InvalidSetting if it cannot be read."""
        try:
            document = load_yaml(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InvalidSetting(str(path), f"cannot be read: {error}") from error
        if not isinstance(document, dict):
            raise InvalidSetting(str(path), "is not a mapping")
        return SettingsSource(document, prefix, environment, path.parent)

    def value(self, key: str, read: Callable[[str], T], default: T) -> T:
        """The value of ``key`` read from its text; ``default`` if it is nowhere or empty.

        ``read`` may raise ValueError or a GridloomError, which becomes InvalidSetting.
        """
        text = self._text(key)
        if not text:
            return default
        try:
            return read(text)
        except (ValueError, GridloomError) as error:
            raise InvalidSetting(key, f"{text!r}: {error}") from error

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean, in any spelling YAML or Go knows."""
        return self.value(key, _flag, default)

    def path(self, key: str, default: Path) -> Path:
        """A path; a default is taken as it is."""
        return self.value(key, lambda text: self._folder / text, default)

    def paths(self, key: str) -> tuple[Path, ...]:
        """A list of paths; in a variable ``[a, b]`` or separated by spaces."""
        return tuple(self._folder / text for text in self.texts(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; in a variable ``[a, b]`` or separated by spaces."""
        found = self._find(key)
        if isinstance(found, list):
            return tuple(str(text) for text in found)
        return tuple(str(found or "").strip("[] ").replace(",", " ").split())

    def tree(self, key: str) -> object:
        """What the document has below a key, as it is; None if there is nothing."""
        found = self._find(key)
        return None if isinstance(found, str) else found

    def _text(self, key: str) -> str:
        found = self._find(key)
        if found is None:
            return ""
        if isinstance(found, dict | list):
            raise InvalidSetting(key, "a single value is expected")
        return str(found).strip()

    def _find(self, key: str) -> object:
        override = self._environment.get(f"{self._prefix}_{key}".upper().replace(".", "_"))
        if override is not None:
            return override
        found: object = self._document
        for part in key.lower().split("."):
            if not isinstance(found, dict):
                return None
            found = {str(name).lower(): value for name, value in found.items()}.get(part)
        return found


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("expected true or false")
