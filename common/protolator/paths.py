"""Changing single places of a JSON tree by path: ``channel_group.groups.Orderer...timeout``.

A path names keys, separated by dots, and places in lists, as ``[0]``; ``["a.b"]`` names a key
with dots in it.  It may begin with ``$`` or ``.``, as in JSONPath and jq.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ..errors import GridloomError
from .decoding import Json

_STEP = re.compile(r"""\.?([^.\[\]"']+)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]""")

Step = str | int


class BadPath(GridloomError):
    """A path that is malformed or leads nowhere: the path, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def assign(tree: Json, path: str, value: Json) -> None:
    """Put ``value`` at ``path``, in place; BadPath.

    The last key may be new; an index may be one behind the end of its list.
    """
    *way, last = parse_path(path)
    place = _follow(tree, way, path)
    if isinstance(place, dict) and isinstance(last, str):
        place[last] = value
    elif isinstance(place, list) and isinstance(last, int) and last <= len(place):
        place[last : last + 1] = [value]
    else:
        raise _nothing(place, last, path)


def remove(tree: Json, path: str) -> None:
    """Take away what is at ``path``, in place; BadPath when nothing is."""
    *way, last = parse_path(path)
    place = _follow(tree, way, path)
    _step(place, last, path)
    holder: Any = place
    del holder[last]


def parse_path(path: str) -> list[Step]:
    """Return the keys and indexes a path names; BadPath."""
    rest = path.removeprefix("$")
    steps: list[Step] = []
    while rest:
        found = _STEP.match(rest)
        if found is None:
            raise BadPath(path, f"cannot be read from {rest!r} on")
        key, index, quoted = found.groups()
        steps.append(key or (int(index) if index else _unquoted(quoted, path)))
        rest = rest[found.end() :]
    if not steps:
        raise BadPath(path, "names nothing")
    return steps


def _unquoted(text: str, path: str) -> str:
    try:
        key: str = json.loads(text)
    except ValueError:
        raise BadPath(path, f"{text} is no text in JSON's form") from None
    return key


def _follow(tree: Json, way: Sequence[Step], path: str) -> Json:
    for step in way:
        tree = _step(tree, step, path)
    return tree


def _step(tree: Json, step: Step, path: str) -> Json:
    if isinstance(tree, dict) and isinstance(step, str) and step in tree:
        return tree[step]
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return tree[step]
    raise _nothing(tree, step, path)


def _nothing(tree: Json, step: Step, path: str) -> BadPath:
    shown = f"[{step}]" if isinstance(step, int) else repr(step)
    if isinstance(tree, dict) and tree:
        return BadPath(path, f"there is no {shown}; there is: {', '.join(sorted(tree))}")
    what = f"a list of {len(tree)}" if isinstance(tree, list) else f"only {json.dumps(tree)[:60]}"
    return BadPath(path, f"there is no {shown}, {what} is there")
