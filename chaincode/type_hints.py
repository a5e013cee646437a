"""From type hints to converters, once for each hint, when a contract class is made.

Understood: int, str, bool, Decimal, bytes, datetime, date, Enum, Literal, dataclasses
(nested, recursive), list, tuple, dict, Sequence, Mapping, ``T | None``, NewType, Annotated,
None and Any.  Refused with the reason: float, set, unions of several types.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

from .errors import ContractError
from .scalars import (
    Boolean,
    Bytes,
    Choice,
    Day,
    DecimalNumber,
    Integer,
    Scalar,
    Text,
    Timestamp,
)
from .structures import (
    Converter,
    Field,
    Free,
    Items,
    Maybe,
    Nothing,
    Record,
    Row,
    Table,
)

_NO_FLOATS = (
    "binary floats are not the same everywhere and do not add up exactly: "
    "use int (the smallest unit) or Decimal"
)
_NO_SETS = "sets have no order to endorse: use list"

_Building = dict[type[Any], Record]


def converter(hint: Any) -> Converter:  # noqa: ANN401  # hints have no common type
    """Return the converter of a type hint; ContractError naming it if there is none."""
    return _recent(hint)


@lru_cache(maxsize=1024)
def _recent(hint: Any) -> Converter:  # noqa: ANN401
    return _compile(hint, {})


def hint_name(hint: object) -> str:
    """Return a type hint the way one writes it."""
    if hint is None or hint is type(None):
        return "None"
    if isinstance(hint, type) and get_origin(hint) is None:
        return hint.__name__
    return str(hint).replace("typing.", "").replace("collections.abc.", "")


def resolve(
    annotations: dict[str, Any], namespace: dict[str, Any], where: str
) -> dict[str, object]:
    """Evaluate annotations that may be text; ContractError if a name is unknown."""
    holder = types.SimpleNamespace(__annotations__=annotations)
    try:
        return get_type_hints(holder, globalns=namespace)
    except Exception as error:  # evaluating text may raise anything
        raise ContractError(
            where,
            f"a type hint cannot be resolved: {error} (define the types at module level "
            "and import them at run time)",
        ) from error


_FREE = Free(converter)

_SIMPLE: dict[Any, Converter] = {
    str: Text(),
    int: Integer(),
    bool: Boolean(),
    Decimal: DecimalNumber(),
    bytes: Bytes(),
    bytearray: Bytes(),
    datetime: Timestamp(),
    date: Day(),
    type(None): Nothing(),
    None: Nothing(),
    Any: _FREE,
    object: _FREE,
    list: Items("list", _FREE, list),
    tuple: Items("tuple", _FREE, tuple),
    dict: Table("dict", Text(), _FREE),
}

_REFUSED = {float: _NO_FLOATS, complex: _NO_FLOATS, set: _NO_SETS, frozenset: _NO_SETS}


def _compile(hint: Any, building: _Building) -> Converter:  # noqa: ANN401
    simple = _SIMPLE.get(hint)
    if simple is not None:
        return simple
    if isinstance(hint, NewType):
        return _compile(hint.__supertype__, building)
    origin = get_origin(hint)
    if origin is Annotated:
        return _compile(get_args(hint)[0], building)
    if origin is not None:
        return _generic(hint, origin, get_args(hint), building)
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return building.get(hint) or _record(hint, building)
        if issubclass(hint, Enum):
            return _enum(hint)
    reason = _REFUSED.get(hint, "this type has no form as an argument or on the ledger")
    raise ContractError(hint_name(hint), reason)


def _generic(hint: object, origin: object, args: Sequence[Any], building: _Building) -> Converter:
    name = hint_name(hint)
    if origin is Union or origin is types.UnionType:
        return _union(name, args, building)
    if origin is Literal:
        return _choice(name, {value: value for value in args})
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return Row(name, [_compile(item, building) for item in args])
    if origin is list or origin is Sequence:
        return Items(name, _compile(args[0], building), list)
    if origin is tuple:
        return Items(name, _compile(args[0], building), tuple)
    if origin is dict or origin is Mapping:
        key = _compile(args[0], building)
        if not isinstance(key, Scalar):
            raise ContractError(name, "the keys of a JSON object are text: str, int or an Enum")
        return Table(name, key, _compile(args[1], building))
    reason = _REFUSED.get(
        origin if isinstance(origin, type) else type(None),
        "this type has no form as an argument or on the ledger",
    )
    raise ContractError(name, reason)


def _union(name: str, args: Sequence[Any], building: _Building) -> Converter:
    options = [option for option in args if option is not type(None)]
    if len(options) != 1 or len(options) == len(args):
        raise ContractError(name, "a union may only join one type with None")
    return Maybe(_compile(options[0], building))


def _record(hint: type[Any], building: _Building) -> Record:
    record = building[hint] = Record(hint)
    try:
        hints = get_type_hints(hint)
    except Exception as error:  # evaluating text may raise anything
        raise ContractError(hint.__name__, f"a type hint cannot be resolved: {error}") from error
    fields: list[Field] = []
    for field in dataclasses.fields(hint):
        if not field.init:
            continue
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        try:
            compiled = _compile(hints[field.name], building)
        except ContractError as error:
            where = f"{hint.__name__}.{field.name}: {error.where}"
            raise ContractError(where, error.reason) from None
        fields.append(Field(field.name, compiled, required))
    record.complete(fields)
    return record


def _enum(hint: type[Enum]) -> Converter:
    members: dict[Any, object] = {member.value: member for member in hint}
    return _choice(hint.__name__, members)


def _choice(name: str, members: dict[Any, object]) -> Converter:
    kinds = {type(value) for value in members}
    if kinds not in ({str}, {int}):
        raise ContractError(name, "the values must be all str or all int")
    return Choice(name, members)
