"""A rich query as a chaincode sends it: a JSON object with a selector and options.

Fabric's peer reads it, sets its own limit and bookmark, adds what it needs to the fields and
sends it on; then CouchDB checks it.  Both leave their marks in the errors.
(Fabric: statecouchdb.go applyAdditionalQueryOptions; CouchDB: mango_opts, mango_sort.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import QueryRefused, QueryUnreadable
from . import erlang_terms
from .documents import (
    Document,
    Json,
    go_text,
    refuse_constant,
    too_deep,
    without_nul,
    without_surrogates,
)
from .go_syntax import syntax_error
from .selector import Condition, Path, parse_path, read_selector


@dataclass(frozen=True, slots=True)
class FindRequest:
    """A checked query.

    sort: paths, all in one direction; fields: what of a document is wanted, None for all;
    bookmark: where an earlier page ended, "" for the beginning; use_index: design document
    and perhaps name; allow_fallback: whether another index will do.
    """

    selector: Condition
    sort: tuple[Path, ...] = ()
    descending: bool = False
    fields: tuple[Path, ...] | None = None
    skip: int = 0
    bookmark: str = ""
    use_index: tuple[str, ...] = ()
    allow_fallback: bool = True


def read_request(query: str) -> FindRequest:
    """QueryUnreadable if it is no JSON object, QueryRefused if CouchDB would refuse it."""
    options = _decode(query)
    fields = options.get("fields", [])
    if not isinstance(fields, list):
        raise QueryUnreadable("fields definition must be an array")
    for name, value in options.items():
        check = _CHECKS.get(name)
        if check is not None:
            check(value)
    if "selector" not in options:
        raise QueryRefused("missing_required_key", 400, "Missing required key: selector")
    selector = read_selector(options["selector"])
    for name in options:
        if name not in _CHECKS:
            raise QueryRefused("invalid_key", 400, f"Invalid key {name} for this request.")
    sort, descending = read_sort(options.get("sort", []))
    skip, bookmark = options.get("skip", 0), options.get("bookmark")
    return FindRequest(
        selector=selector,
        sort=sort,
        descending=descending,
        fields=tuple(map(_field, fields)) if "fields" in options else None,
        skip=skip if isinstance(skip, int) else 0,
        bookmark=bookmark if isinstance(bookmark, str) else "",
        use_index=_read_use_index(options.get("use_index")),
        allow_fallback=options.get("allow_fallback", True) is True,
    )


def _decode(query: str) -> Document:
    """The first JSON value of the text, as Go's decoder takes it; what follows is ignored."""
    text = go_text(query.strip(" \t\r\n").encode("utf-8", "surrogatepass"))
    if too_deep(text.encode()):
        raise QueryUnreadable("exceeded max depth")
    try:
        value, _ = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise QueryUnreadable(syntax_error(text, error)) from None
    except ValueError:
        raise QueryRefused("bad_request", 400, "invalid UTF-8 JSON") from None
    if not isinstance(value, dict):
        raise QueryUnreadable(f"json: cannot unmarshal {_go_kind(value)} into {_GO_MAP}")
    cleaned = without_surrogates(value)
    return _in_go_order(without_nul(cleaned)) if isinstance(cleaned, dict) else {}


def _go_kind(value: Json) -> str:
    kinds = {list: "array", str: "string", bool: "bool", type(None): "null"}
    return kinds.get(type(value), "number")


_GO_MAP = "Go value of type map[string]interface {}"


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"{text} is out of range")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=refuse_constant)


def _in_go_order(value: Document) -> Document:
    """Objects with their names sorted, as Go's encoder passes them on."""

    def ordered(part: Json) -> Json:
        if isinstance(part, dict):
            return {name: ordered(part[name]) for name in sorted(part)}
        return [ordered(item) for item in part] if isinstance(part, list) else part

    return {name: ordered(value[name]) for name in sorted(value)}


def _field(value: Json) -> Path:
    if not isinstance(value, str):
        text = erlang_terms.plain(value)
        raise QueryRefused("invalid_field", 400, f"Invalid JSON for field spec: {text}")
    return parse_path(value)


def read_sort(value: Json) -> tuple[tuple[Path, ...], bool]:
    """The fields of a sort or an index, and whether they descend; QueryRefused if malformed."""
    if not isinstance(value, list):
        text = erlang_terms.pretty(value)
        reason = f"Sort must be an array of sort specs, not: {text}"
        raise QueryRefused("invalid_sort_json", 400, reason)
    read = [_sort_field(item) for item in value]
    directions = {direction for _, direction in read}
    if len(directions) > 1:
        raise QueryRefused(
            "unsupported_mixed_sort",
            400,
            "Sorts currently only support a single direction for all fields.",
        )
    return tuple(parse_path(name) for name, _ in read), "desc" in directions


def _sort_field(value: Json) -> tuple[str, str]:
    if isinstance(value, str) and value:
        return value, "asc"
    if isinstance(value, dict) and len(value) == 1:
        ((name, direction),) = value.items()
        if isinstance(direction, str) and direction in {"asc", "desc"}:
            return name, direction
    text = erlang_terms.pretty(value)
    raise QueryRefused("invalid_sort_field", 400, f"Invalid sort field: {text}")


def _read_use_index(value: Json) -> tuple[str, ...]:
    """A design document, with or without a name: "ddoc", "ddoc/name", ["ddoc", "name"]."""
    parts: list[Json] = []
    if isinstance(value, str):
        split = value.split("/")
        parts = list(split[1:] if split[0] == "_design" and len(split) > 1 else split)
    elif isinstance(value, list):
        parts = value
    names = tuple(part for part in parts if isinstance(part, str))
    if len(names) != len(parts) or len(names) > 2 or not isinstance(value, str | list | None):
        text = erlang_terms.plain(value)
        raise QueryRefused("invalid_index_name", 400, f"Invalid index name: {text}")
    return names


def _check_boolean(value: Json) -> None:
    if not isinstance(value, bool):
        text = erlang_terms.plain(value)
        raise QueryRefused("invalid_boolean", 400, f"Invalid boolean value: {text}")


def _check_skip(value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise QueryRefused(
            "invalid_non_neg_integer",
            400,
            f"{erlang_terms.plain(value)} is not an integer greater than or equal to zero",
        )


def _check_copies(value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        text = f"{erlang_terms.plain(value)} is not an integer greater than zero"
        raise QueryRefused("invalid_pos_integer", 400, text)


def _check_bookmark(value: Json) -> None:
    if value is not None and not isinstance(value, str):
        text = erlang_terms.plain(value)
        raise QueryRefused("invalid_bookmark", 400, f"Invalid bookmark value: {text}")


def _accept(_: Json) -> None:
    """Checked where it is read, overwritten, or without meaning here."""


_CHECKS: Mapping[str, Callable[[Json], None]] = {
    "selector": _accept,
    "use_index": _accept,
    "bookmark": _check_bookmark,
    "limit": _accept,
    "skip": _check_skip,
    "sort": _accept,
    "fields": _accept,
    "partition": _accept,
    "r": _check_copies,
    "conflicts": _check_boolean,
    "stale": _accept,
    "update": _check_boolean,
    "stable": _check_boolean,
    "execution_stats": _check_boolean,
    "allow_fallback": _check_boolean,
}
