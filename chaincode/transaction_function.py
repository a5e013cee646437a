"""A contract's method as a transaction: its arguments in, its result out.

All that can be known beforehand is worked out when the class is made, so a call only
converts values (Fabric: contractapi's ContractFunction).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

from .errors import ArgumentError, ContractError, ResultError
from .serialization import Mismatch
from .structures import Converter
from .type_hints import converter, hint_name, resolve

Kind = Literal["submit", "evaluate"]

_MARK = "__gridloom_transaction__"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Mark:
    """What the decorator says: how clients should call the function, and under which name."""

    kind: Kind
    name: str


@overload
def transaction(kind: Function) -> Function: ...
@overload
def transaction(kind: Kind = "submit", *, name: str = "") -> Callable[[Function], Function]: ...
def transaction(kind: Any = "submit", *, name: str = "") -> Any:
    """Make a method of a Contract a transaction function.

        @transaction                                    # submit
        @transaction("evaluate")                        # only reads
        @transaction(name="CreateAsset")                # clients call it by this name

    The method takes the context and then the arguments, converted by their type hints (no
    hint: text); trailing parameters with defaults may be left out by the client.
    """
    if callable(kind):
        return _marked(kind, Mark("submit", name))
    if kind not in ("submit", "evaluate"):
        raise ContractError("@transaction", f"must be 'submit' or 'evaluate', not {kind!r}")
    mark = Mark(kind, name)
    return lambda function: _marked(function, mark)


def _marked(function: Function, mark: Mark) -> Function:
    setattr(function, _MARK, mark)
    return function


def mark_of(attribute: object) -> Mark | None:
    """Return what ``@transaction`` said of a class attribute, None if it was not decorated."""
    mark = getattr(attribute, _MARK, None)
    return mark if isinstance(mark, Mark) else None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter after the context."""

    name: str
    hint: str
    converter: Converter
    required: bool


@dataclass(frozen=True, slots=True)
class TransactionFunction:
    """A compiled transaction function.

    name: as clients call it; where: ``contract:name``, for errors; required: how many of the
    parameters have no default; result: any JSON when the function declares no type.
    """

    name: str
    where: str
    kind: Kind
    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    required: int
    result: Converter
    declares_result: bool
    doc: str

    def convert_arguments(self, raw: Sequence[bytes]) -> list[Any]:
        """Return the Python values of the arguments' bytes; ArgumentError."""
        if not self.required <= len(raw) <= len(self.parameters):
            raise self._wrong_number(raw)
        values = []
        for parameter, data in zip(self.parameters, raw, strict=False):
            try:
                values.append(parameter.converter.from_argument(data))
            except Mismatch as mismatch:
                raise ArgumentError(
                    self.where,
                    mismatch.sentence(f"parameter '{parameter.name}", "'"),
                    parameter=parameter.name,
                    expected=parameter.hint,
                    value=data,
                ) from None
        return values

    def convert_result(self, result: object) -> bytes:
        """Return the payload of what the function returned; ResultError."""
        try:
            return self.result.to_argument(result)
        except Mismatch as mismatch:
            raise ResultError(self.where, mismatch.sentence("the returned value")) from None

    def _wrong_number(self, raw: Sequence[bytes]) -> ArgumentError:
        most = len(self.parameters)
        count = f"{most}" if self.required == most else f"{self.required} to {most}"
        plural = "" if count == "1" else "s"
        wanted = ", ".join(f"{each.name}: {each.hint}" for each in self.parameters)
        return ArgumentError(
            self.where,
            f"expected {count} argument{plural} ({wanted}), got {len(raw)}",
            value=list(raw),
        )


def compile_function(
    contract: str, method: str, function: object, mark: Mark
) -> TransactionFunction:
    """Compile the method ``method`` of ``contract``; ContractError says what is wrong with it."""
    where = f"{contract}.{method}"
    if not inspect.isfunction(function):
        raise ContractError(where, "@transaction is for plain methods")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise ContractError(where, "a transaction function must not be async")
    if inspect.isgeneratorfunction(function):
        raise ContractError(where, "a transaction function must return its result, not yield")
    signature = inspect.signature(function)
    declared = list(signature.parameters.values())[2:]
    if len(signature.parameters) < 2:
        raise ContractError(where, "a transaction function takes self and the context first")
    for parameter in declared:
        if parameter.kind not in _POSITIONAL:
            raise ContractError(where, f"parameter {parameter} must be a plain positional one")
    annotations = {each.name: each.annotation for each in declared if _hinted(each.annotation)}
    if _hinted(signature.return_annotation):
        annotations["return"] = signature.return_annotation
    hints = resolve(annotations, function.__globals__, where)
    parameters = tuple(_parameter(where, each, hints) for each in declared)
    return TransactionFunction(
        name=mark.name or method,
        where=f"{contract}:{mark.name or method}",
        kind=mark.kind,
        call=function,
        parameters=parameters,
        required=sum(parameter.required for parameter in parameters),
        result=_converter(f"{where}: the result", hints.get("return", Any)),
        declares_result="return" in hints,
        doc=inspect.getdoc(function) or "",
    )


def _hinted(annotation: object) -> bool:
    return annotation is not inspect.Parameter.empty


def _parameter(where: str, declared: inspect.Parameter, hints: dict[str, object]) -> Parameter:
    hint = hints.get(declared.name, str)
    return Parameter(
        name=declared.name,
        hint=hint_name(hint),
        converter=_converter(f"{where}: parameter '{declared.name}'", hint),
        required=not _hinted(declared.default),
    )


def _converter(where: str, hint: object) -> Converter:
    try:
        return converter(hint)
    except ContractError as error:
        raise ContractError(where, str(error)) from None
