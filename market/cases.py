"""Reading the fields of a case, so that a bad one is named by case and field.

Every reader takes the path of the field and raises CaseError with it (a scenario's field:
ScenarioError).  Numbers must be JSON numbers and finite; true and false are not numbers.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from typing import NoReturn

import numpy as np

from gridloom.common.errors import GridloomError

from .errors import CaseError
from .tariff import Tariff

_EXACT = re.compile(r"[+-]?[0-9]{1,400}(/[0-9]{1,400}|(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,3})?)")
_LARGEST_EXACT = 10**60  # whose products and sums a float still holds


@dataclass(frozen=True, slots=True)
class Fields:
    """The input of one case, or the parameters of a scenario under its name.

    error: what a bad field raises, made of case_id, the field's path and the reason; place:
    what the path begins with where these are the fields of an object inside the case.
    """

    case_id: str
    values: Mapping[str, object]
    error: Callable[[str, str, str], GridloomError] = CaseError
    place: str = ""

    def fail(self, field: str, reason: str) -> NoReturn:
        """Raise the error of this case."""
        raise self.error(self.case_id, self.place + field, reason)

    def required(self, field: str) -> object:
        """The raw value; a missing field is an error."""
        if field not in self.values:
            self.fail(field, "is missing")
        return self.values[field]

    def number(self, field: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number in [low, high]."""
        return self.as_number(field, self.required(field), low=low, high=high)

    def numbers(self, field: str, *, length: int | None = None) -> tuple[float, ...]:
        """A list of finite numbers >= 0, of the given length if one is given."""
        items = self.as_list(field, self.required(field))
        if length is not None and len(items) != length:
            self.fail(field, f"has {len(items)} entries, not {length}")
        return tuple(self.as_number(f"{field}[{i}]", item) for i, item in enumerate(items))

    def choice(self, field: str, allowed: Collection[str], default: str) -> str:
        """One of the allowed words; default when the field is missing or null."""
        value = self.values.get(field)
        if value is None:
            return default
        if not isinstance(value, str) or value not in allowed:
            self.fail(field, f"{value!r} is none of {', '.join(sorted(allowed))}")
        return value

    def tariff(self) -> Tariff:
        """p_s and p_b with 0 < p_s < p_b."""
        sell, buy = self.number("p_s"), self.number("p_b")
        if sell <= 0:
            self.fail("p_s", f"{sell} is not above zero")
        if sell >= buy:
            self.fail("p_s", f"{sell} is not below p_b = {buy}")
        return Tariff(sell, buy)

    def text(self, field: str) -> str:
        """A text."""
        value = self.required(field)
        if not isinstance(value, str):
            self.fail(field, f"is {_json_name(value)}, not text")
        return value

    def index(self, field: str, length: int) -> int:
        """A position in a list of that length."""
        value = self.required(field)
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(field, f"is {_json_name(value)}, not a whole number")
        if not 0 <= value < length:
            self.fail(field, f"{value} is none of the {length} positions from 0")
        return value

    def interval(self, field: str) -> tuple[float, float]:
        """A pair of finite numbers >= 0, the first not above the second."""
        low, high = self.numbers(field, length=2)
        if low > high:
            self.fail(field, f"{low} is above {high}")
        return low, high

    def part(self, field: str) -> Fields:
        """The fields of an object inside this one."""
        return self.as_part(field, self.required(field))

    def as_part(self, field: str, value: object) -> Fields:
        """The value as an object with fields of its own."""
        if not isinstance(value, Mapping):
            self.fail(field, f"is {_json_name(value)}, not an object")
        return Fields(self.case_id, value, self.error, f"{self.place}{field}.")

    def as_list(self, field: str, value: object) -> list[object]:
        """The value as a list."""
        if not isinstance(value, list):
            self.fail(field, f"is {_json_name(value)}, not a list")
        return value

    def as_object(self, field: str, value: object) -> Mapping[str, object]:
        """The value as an object."""
        if not isinstance(value, Mapping):
            self.fail(field, f"is {_json_name(value)}, not an object")
        return value

    def exact(self, field: str, *, low: Fraction | int | None = None) -> Fraction:
        """A finite number >= low without rounding; see as_exact."""
        return self.as_exact(field, self.required(field), low=low)

    def as_exact(self, field: str, value: object, *, low: Fraction | int | None = None) -> Fraction:
        """The value without rounding: a JSON number as it is written, or text such as
        "0.615" or "13/50"."""
        if isinstance(value, str):
            try:
                number = Fraction(value) if _EXACT.fullmatch(value) else None
            except (ValueError, ZeroDivisionError):
                number = None
            if number is None:
                self.fail(field, f"{value!r} is not a decimal or a fraction")
        else:
            self.as_number(field, value, low=-math.inf)
            number = Fraction(str(value))
        if abs(number) > _LARGEST_EXACT:
            self.fail(field, "is too large")
        if low is not None and number < low:
            self.fail(field, f"{value} is below {low}")
        return number

    def as_number(
        self, field: str, value: object, *, low: float = 0.0, high: float = math.inf
    ) -> float:
        """The value as a finite number in [low, high]."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fail(field, f"is {_json_name(value)}, not a number")
        try:
            number = float(value)
        except OverflowError:
            self.fail(field, "is too large")
        if not math.isfinite(number):
            self.fail(field, f"is {number}, not a finite number")
        if not low <= number <= high:
            self.fail(field, f"{number} is not in [{low}, {high}]")
        return number


Output = dict[str, object]
"""An answer that is a JSON object."""

Kind = Callable[[Fields], object]
"""Answers the cases of one kind with plain JSON values."""


def finite(kind: Kind) -> Kind:
    """The kind, but refusing a case whose numbers are so large that the answer is none."""

    @wraps(kind)
    def answer(fields: Fields) -> object:
        try:
            with np.errstate(over="raise", invalid="raise"):
                found = kind(fields)
        except (OverflowError, FloatingPointError) as error:
            fields.fail("(all)", f"the numbers are too large to compute with: {error}")
        try:
            json.dumps(found, allow_nan=False)
        except ValueError as error:
            fields.fail("(all)", f"the numbers are too large to compute with: {error}")
        return found

    return answer


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
