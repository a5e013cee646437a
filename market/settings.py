"""A scenario's parameters with defaults and nesting; what is wrong is named by its path.

cases.Fields reads what must be there; this reads what may be left out.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from .cases import Fields
from .errors import ScenarioError


@dataclass(frozen=True, slots=True)
class Settings:
    """source: the scenario's name; path: of these values in it, with a dot at its end."""

    source: str
    values: Mapping[str, object]
    path: str = ""

    @classmethod
    def of(cls, fields: Fields) -> Settings:
        """The parameters of a run."""
        return cls(fields.case_id, fields.values)

    def fail(self, name: str, reason: str) -> NoReturn:
        """Raise the ScenarioError of a value."""
        raise ScenarioError(self.source, f"{self.path}{name}", reason)

    def only(self, allowed: Collection[str]) -> None:
        """ScenarioError for the first name that is not allowed."""
        for name in self.values:
            if name not in allowed:
                self.fail(name, f"is not known; there are {', '.join(sorted(allowed))}")

    def section(self, name: str) -> Settings:
        """A mapping inside this one; empty if left out."""
        value = self.values.get(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            self.fail(name, f"{value!r} is no mapping of names to values")
        return Settings(self.source, value, f"{self.path}{name}.")

    def items(self, name: str, usual: Sequence[object]) -> Settings:
        """The items of a list that is not empty, under the paths that name them: name[0], ..."""
        value = self.values.get(name, usual)
        if not isinstance(value, list | tuple) or not value:
            self.fail(name, f"{value!r} is no list, or an empty one")
        named = {f"{name}[{place}]": item for place, item in enumerate(value)}
        return Settings(self.source, named, self.path)

    def number(
        self, name: str, default: float, *, low: float = -math.inf, high: float = math.inf
    ) -> float:
        """A finite number in [low, high]."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(name, f"{value!r} is not a number")
        if not math.isfinite(value) or not low <= value <= high:
            self.fail(name, f"{value} is not in [{low:g}, {high:g}]")
        return float(value)

    def whole(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(name, f"{value!r} is not a whole number")
        if not low <= value <= high:
            self.fail(name, f"{value} is not in [{low}, {high}]")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            self.fail(name, f"{value!r} is neither true nor false")
        return value

    def text(self, name: str, default: str, allowed: Collection[str] = ()) -> str:
        """A text, one of allowed if there are any."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            self.fail(name, f"{value!r} is no text")
        if allowed and value not in allowed:
            self.fail(name, f"{value!r} is none of {', '.join(sorted(allowed))}")
        return value
