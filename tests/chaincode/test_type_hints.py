"""How Python values look as arguments and results, and inside JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.errors import ContractError
from gridloom.chaincode.serialization import Mismatch, read_json, write_json
from gridloom.chaincode.type_hints import converter


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Line:
    product: str
    price: Decimal


@dataclass
class Order:
    side: Side
    lines: list[Line]
    note: str | None = None
    tags: dict[str, int] = field(default_factory=dict)


@dataclass
class Tree:
    name: str
    children: "list[Tree]" = field(default_factory=list)


OrderId = NewType("OrderId", str)

FORMS = [
    (str, "zwölf €", "zwölf €", '"zwölf €"'),
    (str, "", "", '""'),
    (int, -12, "-12", "-12"),
    (int, 10**30, "1" + 30 * "0", "1" + 30 * "0"),
    (bool, True, "true", "true"),
    (Decimal, Decimal("12.50"), "12.50", '"12.50"'),
    (Decimal, Decimal("1E+3"), "1000", '"1000"'),
    (Side, Side.SELL, "sell", '"sell"'),
    (Level, Level.HIGH, "2", "2"),
    (Literal["day", "night"], "night", "night", '"night"'),
    (datetime, datetime(2026, 11, 20, 10, tzinfo=UTC), "2026-11-20T10:00:00Z", None),
    (date, date(2026, 11, 20), "2026-11-20", '"2026-11-20"'),
    (OrderId, "o1", "o1", '"o1"'),
    (Annotated[int, "Wh"], 5, "5", "5"),
    (list[int], [3, 1], "[3,1]", "[3,1]"),
    (Sequence[str], ["b", "a"], '["b","a"]', None),
    (tuple[int, ...], (1, 2), "[1,2]", "[1,2]"),
    (tuple[str, int], ("a", 1), '["a",1]', '["a",1]'),
    (dict[str, int], {"b": 1, "a": 2}, '{"a":2,"b":1}', None),
    (Mapping[Level, str], {Level.LOW: "x"}, '{"1":"x"}', None),
    (dict[int, bool], {7: True}, '{"7":true}', None),
    (Line, Line("pv", Decimal("0.1")), '{"price":"0.1","product":"pv"}', None),
    (
        Order,
        Order(Side.BUY, [Line("pv", Decimal(2))]),
        '{"lines":[{"price":"2","product":"pv"}],"note":null,"side":"buy","tags":{}}',
        None,
    ),
    (Tree, Tree("a", [Tree("b")]), '{"children":[{"children":[],"name":"b"}],"name":"a"}', None),
    (Line | None, None, "", "null"),
    (Optional[int], 5, "5", "5"),  # noqa: UP045
    (str | None, None, "", "null"),
]


@pytest.mark.parametrize(("hint", "value", "argument", "json"), FORMS)
def test_each_type_has_one_form_and_reads_it_back(hint, value, argument, json):
    each = converter(hint)
    assert each.to_argument(value) == argument.encode()
    assert each.from_argument(argument.encode()) == value
    text = write_json(each.to_json(value))
    assert text == (json or argument if hint not in (datetime,) else f'"{argument}"').encode()
    assert each.from_json(read_json(text)) == value


def test_bytes_pass_as_they_are_and_are_base64_within_json():
    each = converter(bytes)
    assert each.from_argument(b"\x00\xff") == b"\x00\xff"
    assert each.to_argument(b"\x00\xff") == b"\x00\xff"
    assert converter(list[bytes]).to_argument([b"\x00\xff"]) == b'["AP8="]'
    assert converter(list[bytes]).from_argument(b'["AP8="]') == [b"\x00\xff"]


def test_times_are_utc_inside_whatever_their_zone_was():
    each = converter(datetime)
    moment = each.from_argument(b"2026-11-20T12:30:00.5+02:00")
    assert moment == datetime(2026, 11, 20, 10, 30, 0, 500000, UTC)
    assert moment.tzinfo is UTC
    tokyo = datetime(2026, 11, 20, 19, tzinfo=timezone(timedelta(hours=9)))
    assert each.to_argument(tokyo) == b"2026-11-20T10:00:00Z"


@pytest.mark.parametrize(
    ("hint", "argument"),
    [
        (str, b"\xff"),
        (int, b""),
        (int, b"1.0"),
        (int, b" 1"),
        (int, b"1_000"),
        (int, "٣".encode()),
        (int, b"9" * 5000),
        (bool, b"yes"),
        (bool, b"1"),
        (Decimal, b"NaN"),
        (Decimal, b"Infinity"),
        (Decimal, b"1e99999999999999999999"),
        (Decimal, b"1e9999"),
        (Decimal, b"1,5"),
        (Side, b"BUY"),
        (Level, b"3"),
        (Level, b"two"),
        (Literal["day"], b"night"),
        (datetime, b"2026-11-20T10:00:00"),
        (datetime, b"2026-13-20T10:00:00Z"),
        (datetime, b"0001-01-01T00:00:00+23:00"),
        (date, b"20261120"),
        (list[int], b"5"),
        (list[int], b"[true]"),
        (list[int], b"[1.0]"),
        (list[str], b"[null]"),
        (list[bytes], b'["?"]'),
        (tuple[str, int], b'["a"]'),
        (dict[str, int], b"[]"),
        (dict[Level, int], b'{"9":1}'),
        (Line, b"[]"),
        (Line, b'{"product":"pv","price":1,"extra":2}'),
        (Line | None, b"5"),
        (list[Any], b"[NaN]"),
        (list[Any], b"[1e99999999999999999999]"),
        (Any, b"not json"),
        (Any, b"\xff"),
        (None, b"5"),
    ],
)
def test_what_does_not_fit_is_a_mismatch_and_never_another_exception(hint, argument):
    with pytest.raises(Mismatch):
        converter(hint).from_argument(argument)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, True),
        (int, "5"),
        (bool, 1),
        (str, 5),
        (str, "\ud800"),
        (Decimal, 0.5),
        (Decimal, Decimal("NaN")),
        (Side, "other"),
        (Level, True),
        (Literal[1], True),
        (datetime, datetime(2026, 1, 1)),
        (date, datetime(2026, 1, 1, tzinfo=UTC)),
        (list[int], 5),
        (list[int], ["a"]),
        (tuple[str, int], ("a",)),
        (dict[str, int], {1: 1}),
        (Line, Order(Side.BUY, [])),
        (Line, Line("pv", 0.5)),  # type: ignore[arg-type]
        (Any, 0.1),
        (Any, {"a": [0.1]}),
        (Any, {1, 2}),
        (Any, {None: 1}),
        (Any, object()),
        (None, 5),
    ],
)
def test_what_cannot_be_written_is_a_mismatch(hint, value):
    with pytest.raises(Mismatch):
        converter(hint).to_argument(value)


def test_a_mismatch_says_where_within_the_value_it_is():
    with pytest.raises(Mismatch) as caught:
        converter(dict[str, Order]).from_argument(
            b'{"o1":{"side":"buy","lines":[{"product":"pv","price":"x"}]}}'
        )
    assert caught.value.path == "['o1'].lines[0].price"
    assert caught.value.expected == "Decimal"


def test_numbers_in_json_become_exact_decimals_or_integers_never_floats():
    assert converter(Decimal).from_json(read_json(b"0.1")) == Decimal("0.1")
    assert converter(Decimal).from_json(read_json(b"3")) == Decimal(3)
    read = converter(Any).from_argument(b'{"a":[0.10,2]}')
    assert read == {"a": [Decimal("0.10"), 2]}


def test_a_dataclass_may_check_itself():
    @dataclass
    class Positive:
        amount: int

        def __post_init__(self) -> None:
            if self.amount <= 0:
                raise ValueError("amount must be positive")

    with pytest.raises(Mismatch) as caught:
        converter(list[Positive]).from_argument(b'[{"amount":-1}]')
    assert caught.value.path == "[0]"
    assert caught.value.reason == "amount must be positive"


def test_json_arguments_of_optional_records_may_be_null_but_text_is_text():
    assert converter(Line | None).from_argument(b"null") is None
    assert converter(str | None).from_argument(b"null") == "null"


def test_free_values_take_every_type_that_has_a_form():
    free = converter(Any)
    value = {"line": Line("pv", Decimal(1)), "side": Side.BUY, "when": date(2026, 1, 2), 5: None}
    expected = b'{"5":null,"line":{"price":"1","product":"pv"},"side":"buy","when":"2026-01-02"}'
    assert free.to_argument(value) == expected
    assert free.to_argument(None) == b""
    assert free.to_argument(b"\x00") == b"\x00"
    assert free.to_argument("text") == b"text"


def test_enumerations_need_values_of_one_plain_type():
    mixed = Enum("mixed", {"A": 1, "B": "b"})
    with pytest.raises(ContractError, match="all str or all int"):
        converter(mixed)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_json_is_written_one_way_only(value):
    text = write_json(converter(Any).to_json(value))
    assert read_json(text) == value
    assert write_json(read_json(text)) == text


def test_the_order_of_a_mapping_does_not_matter():
    assert write_json({"b": 1, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1}'
    assert write_json({"a": {"c": 2, "d": 1}, "b": 1}) == b'{"a":{"c":2,"d":1},"b":1}'


@given(st.binary(max_size=40))
def test_no_bytes_make_a_converter_fail_otherwise_than_by_mismatch(data):
    for hint in (int, bool, Decimal, Side, datetime, date, Order, list[Line], dict[int, Any]):
        try:
            converter(hint).from_argument(data)
        except Mismatch:
            continue
