"""A scenario: which study, with which parameters, under which seed.

As a file it is YAML:

    name: street                   # of the report; the file's name if left out
    title: Twenty households       # free text
    study: community               # a name of studies.STUDIES
    seed: 7
    parameters:                    # the study's own; `gridloom market list` names them
      community: {households: 20, days: 1}
      mechanism: pay_as_clear

What is wrong in it is named by file and field.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .errors import ScenarioError

_KEYS = frozenset({"name", "title", "study", "seed", "parameters"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """name: letters, digits, - and _; folder: where relative paths in it begin."""

    name: str
    study: str
    title: str = ""
    seed: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)
    folder: Path = Path()


def read_scenario(path: Path) -> Scenario:
    """A scenario file; ScenarioError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(str(path), "", f"is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise ScenarioError(str(path), "", "is no mapping of names to values")
    return parse_scenario(content, str(path), name=path.stem, folder=path.parent)


def parse_scenario(
    content: Mapping[object, object], source: str, *, name: str, folder: Path
) -> Scenario:
    """A scenario from what the file says; source and name: the file's."""
    unknown = sorted(str(key) for key in content if key not in _KEYS)
    if unknown:
        allowed = ", ".join(sorted(_KEYS))
        raise ScenarioError(source, unknown[0], f"is not known; there are {allowed}")
    name = _text(content, source, "name", name)
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ScenarioError(source, "name", f"{name!r} is not of letters, digits, - and _")
    if "study" not in content:
        raise ScenarioError(source, "study", "is missing")
    parameters = content.get("parameters") or {}
    if not isinstance(parameters, dict) or not all(isinstance(key, str) for key in parameters):
        raise ScenarioError(source, "parameters", "is no mapping of names to values")
    seed = content.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ScenarioError(source, "seed", f"{seed!r} is no whole number >= 0")
    study = _text(content, source, "study", "")
    return Scenario(name, study, _text(content, source, "title", ""), seed, parameters, folder)


def _text(content: Mapping[object, object], source: str, field_name: str, default: str) -> str:
    value = content.get(field_name, default)
    if not isinstance(value, str):
        raise ScenarioError(source, field_name, f"{value!r} is no text")
    return value
