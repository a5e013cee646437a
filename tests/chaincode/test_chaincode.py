"""How a call finds its function, what surrounds it, and how failures reach the client."""

import json
import logging
from dataclasses import dataclass
from decimal import Decimal

import pytest

from gridloom.chaincode import (
    Chaincode,
    ChaincodeError,
    Context,
    Contract,
    ContractError,
    transaction,
)
from gridloom.chaincode.peer_link import ChaincodeMessage
from gridloom.chaincode.testing import MemoryLedger
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInput
from gridloom.protos.peer.proposal_response_pb2 import Response


@dataclass
class Order:
    """An order."""

    order_id: str
    price: Decimal
    note: str | None = None


class Orders(Contract):
    """Publishes orders."""

    name = "orders"
    version = "2.1"

    @transaction
    def publish(self, ctx: Context, order: Order, count: int = 1) -> Order:
        """Put an order up."""
        return order

    @transaction("evaluate")
    def who(self, ctx: Context) -> str:
        return "orders"


class Trades(Contract):
    name = "trades"

    @transaction("evaluate")
    def who(self, ctx: Context) -> str:
        return "trades"


@pytest.fixture
def market():
    return MemoryLedger().deploy("market", Orders(), Trades())


def test_a_name_without_a_contract_goes_to_the_first_one(market):
    assert market.evaluate("who").text == "orders"
    assert market.evaluate("orders:who").text == "orders"
    assert market.evaluate("trades:who").text == "trades"
    assert market.evaluate(":who").text == "orders"


@pytest.mark.parametrize("function", ["nothing", "trades:publish", "bonds:who", "", "who:"])
def test_an_unknown_function_or_contract_is_named_as_fabric_names_it(market, function):
    with pytest.raises(ChaincodeError) as caught:
        market.submit(function)
    assert caught.value.message == (
        f"You've asked to invoke a function that does not exist: {function}"
    )


def test_only_decorated_methods_can_be_called(market):
    for function in ("create_context", "before_transaction", "__init__", "name"):
        with pytest.raises(ChaincodeError, match="does not exist"):
            market.submit(function)


def test_two_contracts_cannot_share_a_name():
    with pytest.raises(ContractError, match="two contracts are named orders"):
        Chaincode([Orders(), Orders()])
    with pytest.raises(ContractError, match="at least one contract"):
        Chaincode([])


class Hooked(Contract):
    """Writes what happened around a call."""

    @transaction
    def work(self, ctx: Context, times: int) -> int:
        self._note(ctx, "work")
        return times * 2

    @transaction
    def fail(self, ctx: Context) -> None:
        raise ChaincodeError("it failed")

    def before_transaction(self, ctx: Context) -> None:
        if "closed" in ctx.stub.get_transient():
            raise ChaincodeError("the market is closed", status=423)
        self._note(ctx, "before")

    def after_transaction(self, ctx: Context, result: object) -> None:
        self._note(ctx, f"after {result}")

    def unknown_transaction(self, ctx: Context) -> list[str]:
        function, parameters = ctx.stub.get_function_and_parameters()
        return [function, *parameters]

    def _note(self, ctx: Context, what: str) -> None:
        ctx.stub.put_state(what, b"1")


def test_hooks_run_around_a_function_and_see_its_result():
    hooked = MemoryLedger().deploy("hooked", Hooked())
    outcome = hooked.submit("work", 4)
    assert [write.key for write in outcome.writes] == ["before", "work", "after 8"]


def test_before_may_refuse_and_after_does_not_run_on_failure():
    hooked = MemoryLedger().deploy("hooked", Hooked())
    with pytest.raises(ChaincodeError, match="closed") as caught:
        hooked.submit("work", 4, transient={"closed": b""})
    assert caught.value.status == 423
    with pytest.raises(ChaincodeError, match="it failed"):
        hooked.submit("fail")
    assert hooked.state == {}


def test_arguments_are_checked_before_the_hook_runs():
    hooked = MemoryLedger().deploy("hooked", Hooked())
    with pytest.raises(ChaincodeError, match="must be int"):
        hooked.submit("work", "many", transient={"closed": b""})


def test_an_unknown_function_may_be_answered_by_the_contract():
    hooked = MemoryLedger().deploy("hooked", Hooked())
    assert hooked.submit("anything", "a", 2).value(list[str]) == ["anything", "a", "2"]


def test_what_an_unknown_function_answers_must_have_a_form():
    class Odd(Contract):
        def unknown_transaction(self, ctx: Context) -> object:
            return 0.5

    with pytest.raises(ChaincodeError, match=r"^nix: the returned value must be .* got 0\.5"):
        MemoryLedger().deploy("odd", Odd()).submit("nix")


class OrdersContext(Context):
    @property
    def order_key(self) -> str:
        return f"order-{self.stub.get_tx_id()[:4]}"


class WithContext(Contract):
    context_class = OrdersContext

    @transaction("evaluate")
    def key(self, ctx: OrdersContext) -> str:
        return ctx.order_key


def test_a_contract_may_bring_its_own_context():
    outcome = MemoryLedger().deploy("own", WithContext()).evaluate("key")
    assert outcome.text == f"order-{outcome.tx_id[:4]}"


class Failing(Contract):
    @transaction
    def refuse(self, ctx: Context) -> None:
        raise ChaincodeError("not today", status=404)

    @transaction
    def crash(self, ctx: Context) -> None:
        raise ValueError("the price of Brad is 7")

    @transaction
    def lookup(self, ctx: Context) -> None:
        _ = {}["asset1"]

    @transaction
    def leave(self, ctx: Context) -> None:
        raise SystemExit(3)

    @transaction
    def surrogate(self, ctx: Context) -> None:
        raise ValueError("\ud800")

    @transaction
    def ignored(self, ctx: Context) -> None:
        ctx.stub.set_event("failed", b"")
        raise ChaincodeError("no", status=12)


@pytest.mark.parametrize(
    ("function", "status", "message"),
    [
        ("refuse", 404, "not today"),
        ("crash", 500, "the price of Brad is 7"),
        ("lookup", 500, "KeyError: 'asset1'"),
        ("leave", 500, "SystemExit: 3"),
        ("surrogate", 500, "?"),
        ("ignored", 400, "no"),  # a failure is a failure whatever status the author gave
    ],
)
def test_every_exception_becomes_a_response_with_its_message(function, status, message):
    failing = MemoryLedger().deploy("failing", Failing())
    with pytest.raises(ChaincodeError) as caught:
        failing.submit(function)
    assert (caught.value.status, caught.value.message) == (status, message)


def test_in_development_an_unexpected_exception_brings_its_traceback():
    failing = MemoryLedger(development=True).deploy("failing", Failing())
    with pytest.raises(ChaincodeError) as caught:
        failing.submit("crash")
    first, _, trace = caught.value.message.partition("\n")
    assert first == "the price of Brad is 7"
    assert trace.startswith("Traceback (most recent call last):\n")
    assert 'raise ValueError("the price of Brad is 7")' in trace
    assert f'File "{__file__}"' in trace
    assert "chaincode/chaincode.py" not in trace
    with pytest.raises(ChaincodeError) as caught:
        failing.submit("refuse")
    assert caught.value.message == "not today"


def test_the_log_says_where_it_failed_but_not_what_the_message_quotes(caplog):
    failing = MemoryLedger().deploy("failing", Failing())
    with caplog.at_level(logging.ERROR), pytest.raises(ChaincodeError):
        failing.submit("crash")
    assert "crash: ValueError at " in caplog.text
    assert "test_chaincode.py:" in caplog.text
    assert "Brad" not in caplog.text


def _never(request: ChaincodeMessage) -> ChaincodeMessage:
    raise AssertionError("no request expected")


def test_an_input_that_cannot_be_read_is_answered_by_error():
    message = ChaincodeMessage(
        type=ChaincodeMessage.TRANSACTION, payload=b"\xff", txid="t1", channel_id="c1"
    )
    answer = Chaincode([Orders()]).handle_transaction(message, _never)
    assert (answer.type, answer.txid, answer.channel_id) == (ChaincodeMessage.ERROR, "t1", "c1")
    assert b"chaincode input" in answer.payload


def _init(*args: bytes) -> Response:
    message = ChaincodeMessage(
        type=ChaincodeMessage.INIT,
        payload=ChaincodeInput(args=args, is_init=True).SerializeToString(),
        txid="t1",
        channel_id="c1",
    )
    answer = Chaincode([Orders()]).handle_transaction(message, _never)
    assert answer.type == ChaincodeMessage.COMPLETED
    return Response.FromString(answer.payload)


def test_init_calls_a_function_like_any_other_and_may_name_none():
    assert _init() == Response(status=200, payload=b"Default initiator successful.")
    assert _init(b"who") == Response(status=200, payload=b"orders")


def test_the_metadata_describes_contracts_transactions_and_types():
    ledger = MemoryLedger()
    market = ledger.deploy("market", Chaincode([Orders(), Trades()], title="market", version="3"))
    document = json.loads(market.evaluate("org.hyperledger.fabric:GetMetadata").text)
    assert document["$schema"].endswith("contract-schema.json")
    assert document["info"] == {"title": "market", "version": "3"}
    assert list(document["contracts"]) == ["orders", "org.hyperledger.fabric", "trades"]
    orders = document["contracts"]["orders"]
    assert orders["default"] is True
    assert document["contracts"]["trades"]["default"] is False
    assert orders["info"] == {
        "title": "orders",
        "version": "2.1",
        "description": "Publishes orders.",
    }
    publish, who = orders["transactions"]
    assert publish == {
        "name": "publish",
        "description": "Put an order up.",
        "tag": ["submit", "SUBMIT"],
        "parameters": [
            {"name": "order", "required": True, "schema": {"$ref": "#/components/schemas/Order"}},
            {"name": "count", "required": False, "schema": {"type": "integer"}},
        ],
        "returns": {"$ref": "#/components/schemas/Order"},
    }
    assert who == {"name": "who", "tag": ["evaluate", "EVALUATE"], "returns": {"type": "string"}}
    assert document["components"]["schemas"]["Order"] == {
        "$id": "Order",
        "type": "object",
        "additionalProperties": False,
        "required": ["order_id", "price"],
        "properties": {
            "order_id": {"type": "string"},
            "price": {"type": "string", "format": "decimal"},
            "note": {"type": ["string", "null"]},
        },
    }


def test_two_types_of_one_name_have_schemas_of_their_own():
    def order_type():
        @dataclass
        class Line:
            amount: int
            more: "list[Order]"

        return Line

    one, other = order_type(), order_type()

    class Both(Contract):
        @transaction
        def join(self, ctx: Context, first: one, second: other) -> None: ...  # type: ignore[valid-type]

    document = json.loads(Chaincode([Both()]).contracts["org.hyperledger.fabric"].metadata)
    first, second = document["contracts"]["Both"]["transactions"][0]["parameters"]
    assert first["schema"] != second["schema"]
    assert sorted(document["components"]["schemas"]) == [
        "Line",
        "Order",
        "test_chaincode.Line",
    ]
