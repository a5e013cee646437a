"""What an author writes, and what is refused when the class is made."""

import re
from dataclasses import dataclass

import pytest

from gridloom.chaincode import (
    ChaincodeError,
    Context,
    Contract,
    ContractError,
    transaction,
)
from gridloom.chaincode.testing import MemoryLedger


def test_a_contract_is_named_after_its_class_unless_it_says_otherwise():
    class Orders(Contract):
        pass

    class Trades(Contract):
        name = "market.trades"

    assert (Orders.name, Trades.name) == ("Orders", "market.trades")


def test_a_bare_transaction_is_a_submit_and_the_decorator_can_say_otherwise():
    class Orders(Contract):
        @transaction
        def one(self, ctx: Context) -> None: ...

        @transaction("submit")
        def two(self, ctx: Context) -> None: ...

        @transaction("evaluate", name="Three")
        def three(self, ctx: Context) -> None: ...

        def helper(self) -> None: ...

    kinds = {name: function.kind for name, function in Orders.functions.items()}
    assert kinds == {"one": "submit", "two": "submit", "Three": "evaluate"}


def test_transactions_are_inherited():
    class Base(Contract):
        @transaction("evaluate")
        def who(self, ctx: Context) -> str:
            return type(self).__name__

    class Derived(Base):
        @transaction("evaluate")
        def more(self, ctx: Context) -> str:
            return "more"

    ledger = MemoryLedger()
    derived = ledger.deploy("derived", Derived())
    assert derived.evaluate("who").text == "Derived"
    assert derived.evaluate("more").text == "more"


def test_the_author_may_call_one_transaction_function_from_another():
    class Orders(Contract):
        @transaction("evaluate")
        def double(self, ctx: Context, number: int) -> int:
            return 2 * number

        @transaction("evaluate")
        def quadruple(self, ctx: Context, number: int) -> int:
            return self.double(ctx, self.double(ctx, number))

    assert MemoryLedger().deploy("orders", Orders()).evaluate("quadruple", 3).value(int) == 12


def test_trailing_arguments_with_defaults_may_be_left_out():
    class Orders(Contract):
        @transaction("evaluate")
        def show(self, ctx: Context, order_id: str, count: int = 3) -> str:
            return f"{order_id} x{count}"

    orders = MemoryLedger().deploy("orders", Orders())
    assert orders.evaluate("show", "o1").text == "o1 x3"
    assert orders.evaluate("show", "o1", 5).text == "o1 x5"


def test_parameters_without_a_hint_are_text():
    class Untyped(Contract):
        @transaction
        def join(self, ctx, one, two):
            return one + two

    assert MemoryLedger().deploy("untyped", Untyped()).submit("join", 1, "b").text == "1b"


@dataclass
class Order:
    price: int
    lines: list[int]


class Orders(Contract):
    name = "orders"

    @transaction
    def publish(self, ctx: Context, order: Order, price: int) -> None: ...

    @transaction
    def ship(self, ctx: Context) -> int:
        return "no number"  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["{}"],
            "orders:publish: expected 2 arguments (order: Order, price: int), got 1",
        ),
        (
            ["{}", "1", "2"],
            "orders:publish: expected 2 arguments (order: Order, price: int), got 3",
        ),
        (
            ['{"price":1,"lines":[]}', "dear"],
            "orders:publish: parameter 'price' must be int, got 'dear'",
        ),
        (
            ['{"price":1,"lines":[1,"two"]}', "1"],
            "orders:publish: parameter 'order.lines[1]' must be int, got 'two'",
        ),
        (
            ['{"price":1}', "1"],
            "orders:publish: parameter 'order' must be Order, got {'price': 1} (missing lines)",
        ),
        (
            ['{"price":1,"lines":[],"colour":"red"}', "1"],
            "orders:publish: parameter 'order' must be Order, "
            "got {'colour': 'red', 'lines': [], 'price': 1} (no such field: colour)",
        ),
    ],
)
def test_wrong_arguments_are_named_with_what_was_expected_and_given(arguments, message):
    orders = MemoryLedger().deploy("orders", Orders())
    with pytest.raises(ChaincodeError) as caught:
        orders.submit("publish", *arguments)
    said = caught.value.message
    # Which order the fields of a document are shown in is the client's choice.
    assert sorted(re.findall(r"\w+", said)) == sorted(re.findall(r"\w+", message))
    assert said.partition(", got ")[0] == message.partition(", got ")[0]


def test_an_argument_that_is_not_json_is_shown():
    orders = MemoryLedger().deploy("orders", Orders())
    with pytest.raises(ChaincodeError, match=r"'order' must be Order, got '\{' \(not JSON"):
        orders.submit("publish", "{", "1")


def test_a_result_of_another_type_than_declared_is_an_error():
    orders = MemoryLedger().deploy("orders", Orders())
    with pytest.raises(ChaincodeError) as caught:
        orders.submit("ship")
    assert caught.value.message == ("orders:ship: the returned value must be int, got 'no number'")


def _with_parameter(hint: object) -> type[Contract]:
    def broken(self: Contract, ctx: Context, price: object) -> None: ...

    broken.__annotations__["price"] = hint
    return type("Broken", (Contract,), {"broken": transaction(broken)})


def test_binary_floats_are_refused_with_the_reason():
    with pytest.raises(ContractError, match=r"Broken.broken: parameter 'price': float: binary"):
        _with_parameter(float)
    with pytest.raises(ContractError, match=r"use int .* or Decimal"):
        _with_parameter(list[dict[str, float]])


@pytest.mark.parametrize("hint", [set[str], int | str, complex, object(), dict[Order, int]])
def test_hints_that_have_no_form_on_the_wire_are_refused(hint):
    with pytest.raises(ContractError, match=r"Broken\.broken: parameter 'price'"):
        _with_parameter(hint)


def test_a_hint_that_cannot_be_resolved_is_named():
    with pytest.raises(ContractError, match=r"Broken\.broken: .*'Nowhere' is not defined"):
        _with_parameter("Nowhere")


def test_only_plain_methods_with_a_context_can_be_transactions():
    async def later(self, ctx): ...

    def several(self, ctx):
        yield 1

    def alone(self): ...

    def rest(self, ctx, *orders): ...

    def named(self, ctx, *, order): ...

    for function in (later, several, alone, rest, named, staticmethod(alone)):
        with pytest.raises(ContractError, match=r"^Broken\.broken: "):
            type("Broken", (Contract,), {"broken": transaction(function)})


def test_an_override_must_say_that_it_is_still_a_transaction():
    with pytest.raises(ContractError, match="overrides a transaction function: decorate it too"):
        type("Derived", (Orders,), {"ship": lambda self, ctx: 5})


def test_two_functions_cannot_share_a_name_and_hooks_stay_hooks():
    def ping(self, ctx): ...

    with pytest.raises(ContractError, match="two functions named Ping"):
        type(
            "Broken",
            (Contract,),
            {"a": transaction(name="Ping")(ping), "b": transaction(name="Ping")(ping)},
        )
    with pytest.raises(ContractError, match="hook"):
        type("Broken", (Contract,), {"before_transaction": transaction(lambda self, ctx: None)})


def test_the_decorator_takes_submit_and_evaluate_only():
    with pytest.raises(ContractError, match="not 'query'"):
        transaction("query")  # type: ignore[call-overload]
