"""How contracts are tested without a network; and what the ledger in memory does."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from gridloom.chaincode import (
    ChaincodeError,
    Context,
    Contract,
    KeyEndorsementPolicy,
    PeerParameters,
    StateError,
    transaction,
)
from gridloom.chaincode.testing import Identity, MemoryLedger, NonDeterministic, Write


class Ledgerbook(Contract):
    """One function for each thing a contract can do."""

    name = "book"

    @transaction
    def put(self, ctx: Context, key: str, value: str) -> str:
        before = ctx.stub.get_state(key).decode()
        ctx.stub.put_state(key, value)
        # A transaction does not see its own writes.
        assert ctx.stub.get_state(key).decode() == before
        return before

    @transaction
    def delete(self, ctx: Context, key: str) -> None:
        ctx.stub.delete_state(key)

    @transaction
    def put_all(self, ctx: Context, count: int) -> None:
        ctx.stub.start_write_batch()
        for number in range(count):
            ctx.stub.put_state(f"k{number:04}", b"1")

    @transaction("evaluate")
    def keys(self, ctx: Context, start: str, end: str) -> list[str]:
        return [key for key, _ in ctx.stub.get_state_by_range(start, end)]

    @transaction("evaluate")
    def page(self, ctx: Context, size: int, bookmark: str) -> dict[str, object]:
        results, page = ctx.stub.get_state_by_range_with_pagination("", "", size, bookmark)
        keys = [key for key, _ in results]
        return {"keys": keys, "next": page.bookmark, "count": page.fetched_records_count}

    @transaction
    def page_and_write(self, ctx: Context) -> None:
        ctx.stub.get_state_by_range_with_pagination("", "", 5)
        ctx.stub.put_state("k", b"1")

    @transaction
    def index(self, ctx: Context, colour: str, name: str) -> None:
        ctx.stub.put_state(ctx.stub.create_composite_key("colour", [colour, name]), b"1")

    @transaction("evaluate")
    def of_colour(self, ctx: Context, colour: str) -> list[str]:
        found = ctx.stub.get_state_by_partial_composite_key("colour", [colour])
        return [ctx.stub.split_composite_key(key)[1][1] for key, _ in found]

    @transaction("evaluate")
    def history(self, ctx: Context, key: str) -> list[tuple[str, str, bool, datetime]]:
        return [
            (past.tx_id, past.value.decode(), past.is_delete, past.timestamp)
            for past in ctx.stub.get_history_for_key(key)
        ]

    @transaction
    def keep_secret(self, ctx: Context, key: str) -> None:
        ctx.stub.put_private_data("secrets", key, ctx.stub.get_transient()["value"])

    @transaction("evaluate")
    def secret(self, ctx: Context, collection: str, key: str) -> bytes:
        return ctx.stub.get_private_data(collection, key)

    @transaction("evaluate")
    def secret_hash(self, ctx: Context, key: str) -> str:
        return ctx.stub.get_private_data_hash("secrets", key).hex()

    @transaction
    def forget(self, ctx: Context, key: str) -> None:
        ctx.stub.purge_private_data("secrets", key)

    @transaction
    def announce(self, ctx: Context, name: str, payload: str) -> None:
        ctx.stub.set_event("draft", b"")
        ctx.stub.set_event(name, payload)

    @transaction
    def protect(self, ctx: Context, key: str) -> list[str]:
        policy = KeyEndorsementPolicy(ctx.stub.get_state_validation_parameter(key))
        before = policy.list_orgs()
        policy.add_orgs("PEER", "Org1MSP")
        ctx.stub.set_state_validation_parameter(key, policy.policy())
        return before

    @transaction("evaluate")
    def whoami(self, ctx: Context) -> dict[str, object]:
        client = ctx.client_identity
        return {
            "msp": client.msp_id,
            "role": client.attribute("role"),
            "time": ctx.stub.get_tx_timestamp(),
            "channel": ctx.stub.get_channel_id(),
        }

    @transaction("evaluate")
    def query(self, ctx: Context) -> None:
        ctx.stub.get_query_result("{}")

    @transaction("evaluate")
    def read_objects(self, ctx: Context, keys: list[str]) -> list[int | None]:
        return [ctx.get(key, int) for key in keys]

    @transaction
    def put_object(self, ctx: Context, key: str) -> None:
        ctx.put(key, {"price": 0.5})


@pytest.fixture
def book():
    return MemoryLedger().deploy("book", Ledgerbook(), collections=["secrets"])


def test_submit_commits_and_evaluate_does_not(book):
    assert book.submit("put", "k", "1").text == ""
    assert book.evaluate("put", "k", "2").text == "1"
    assert book.submit("put", "k", "3").text == "1"
    assert book.state == {"k": b"3"}


def test_an_outcome_shows_the_writes_in_order(book):
    outcome = book.submit("put", "k", "1")
    assert outcome.writes == (Write("book", "", "k", b"1"),)
    assert len(outcome.tx_id) == 64


def test_a_failed_transaction_raises_and_leaves_no_trace(book):
    with pytest.raises(ChaincodeError):
        book.submit("put", "k")
    assert book.state == {}
    assert book.ledger.events == []


def test_ranges_are_in_key_order_whatever_their_length(book):
    book.submit("put_all", 250)
    keys = book.evaluate("keys", "", "").value(list[str])
    assert len(keys) == 250
    assert keys == sorted(keys)
    assert book.evaluate("keys", "k0100", "k0103").value(list[str]) == ["k0100", "k0101", "k0102"]


def test_keys_sort_by_their_utf8_bytes(book):
    for key in ("z", "é", "\U0001f600", "￿", "a"):
        book.submit("put", key, "1")
    assert book.evaluate("keys", "", "").value(list[str]) == ["a", "z", "é", "￿", "\U0001f600"]


def test_pages_continue_at_their_bookmark(book):
    book.submit("put_all", 5)
    first = book.evaluate("page", 3, "").value(dict[str, object])
    assert first == {"keys": ["k0000", "k0001", "k0002"], "next": "k0003", "count": 3}
    second = book.evaluate("page", 3, first["next"]).value(dict[str, object])
    assert second == {"keys": ["k0003", "k0004"], "next": "", "count": 2}


def test_pages_are_for_reading_only(book):
    with pytest.raises(ChaincodeError, match=r"PUT_STATE failed.*paginated query. Writes are not"):
        book.submit("page_and_write")


def test_composite_keys_form_an_index_that_plain_ranges_do_not_show(book):
    for colour, name in (("red", "b"), ("red", "a"), ("reddish", "c"), ("blue", "d")):
        book.submit("index", colour, name)
    book.submit("put", "plain", "1")
    assert book.evaluate("of_colour", "red").value(list[str]) == ["a", "b"]
    assert book.evaluate("keys", "", "").value(list[str]) == ["plain"]


def test_history_is_newest_first_with_the_transactions_time(book):
    first = book.submit("put", "k", "1").tx_id
    book.ledger.now += timedelta(hours=1)
    second = book.submit("delete", "k").tx_id
    history = book.evaluate("history", "k").value(list[tuple[str, str, bool, datetime]])
    assert [each[:3] for each in history] == [(second, "", True), (first, "1", False)]
    assert history[0][3] - history[1][3] == timedelta(hours=1)


def test_private_data_comes_in_as_transient_data_and_stays_in_its_collection(book):
    book.submit("keep_secret", "k", transient={"value": b"abc"})
    assert book.state == {}
    assert book.private_state("secrets") == {"k": b"abc"}
    assert book.evaluate("secret", "secrets", "k").payload == b"abc"
    assert book.evaluate("secret_hash", "k").text.startswith("ba7816bf")
    book.submit("forget", "k")
    assert book.private_state("secrets") == {}
    assert book.evaluate("secret_hash", "k").text == ""


def test_only_declared_collections_exist_and_not_while_initialising(book):
    with pytest.raises(ChaincodeError, match="collection other not defined"):
        book.evaluate("secret", "other", "k")
    with pytest.raises(ChaincodeError, match="not allowed in chaincode Init"):
        book.submit("secret", "secrets", "k", is_init=True)


def test_the_last_event_set_is_the_transactions(book):
    outcome = book.submit("announce", "sold", "asset1")
    assert outcome.event == ("sold", b"asset1")
    book.evaluate("announce", "not", "committed")
    assert book.ledger.events == [("book", "sold", b"asset1")]


def test_a_key_policy_needs_the_key_and_goes_with_it(book):
    book.submit("protect", "k")
    assert book.submit("protect", "k").value(list[str]) == []
    book.submit("put", "k", "1")
    book.submit("protect", "k")
    assert book.submit("protect", "k").value(list[str]) == ["Org1MSP"]
    book.submit("delete", "k")
    book.submit("put", "k", "1")
    assert book.submit("protect", "k").value(list[str]) == []


def test_clients_have_an_organisation_and_attributes_and_the_ledger_a_time(book):
    alice = Identity.create("Org2MSP", "alice", attributes={"role": "seller"})
    book.ledger.now = datetime(2027, 1, 2, tzinfo=UTC)
    seen = book.evaluate("whoami", by=alice).value(dict[str, object])
    assert seen == {
        "msp": "Org2MSP",
        "role": "seller",
        "time": "2027-01-02T00:00:00Z",
        "channel": "mychannel",
    }
    assert book.evaluate("whoami").value(dict[str, object])["msp"] == "Org1MSP"


def test_what_the_ledger_does_not_serve_is_refused_with_a_reason(book):
    with pytest.raises(ChaincodeError, match=r"GET_QUERY_RESULT failed: .*not supported"):
        book.evaluate("query")


def test_stored_objects_are_checked_when_read(book):
    book.put_state("good", b"5")
    book.put_state("text", b'"five"')
    book.put_state("broken", b"{")
    assert book.evaluate("read_objects", ["good", "none"]).value(list[int | None]) == [5, None]
    with pytest.raises(ChaincodeError, match=r"state 'text': the value must be int, got str$"):
        book.evaluate("read_objects", ["text"])
    with pytest.raises(ChaincodeError, match=r"state 'broken': expected the JSON of int"):
        book.evaluate("read_objects", ["broken"])


def test_floats_do_not_reach_the_ledger(book):
    with pytest.raises(ChaincodeError, match=r"state 'k': the value\['price'\] must be .*binary"):
        book.submit("put_object", "k")
    assert issubclass(StateError, ChaincodeError)


class Shop(Contract):
    @transaction
    def buy(self, ctx: Context, key: str) -> str:
        ctx.stub.put_state("bought", key)
        ctx.stub.set_event("bought", key)
        return ctx.invoke("book", "put", key, "sold", returns=str)

    @transaction
    def buy_anyway(self, ctx: Context, chaincode: str, function: str) -> str:
        response = ctx.stub.invoke_chaincode(chaincode, [function])
        return f"{response.status} {response.message}"

    @transaction
    def recurse(self, ctx: Context) -> str:
        return self.buy_anyway(ctx, "shop", "recurse")


def test_a_chaincode_calls_another_in_the_same_transaction(book):
    shop = book.ledger.deploy("shop", Shop())
    book.submit("put", "k", "new")
    outcome = shop.submit("buy", "k")
    assert outcome.text == "new"
    assert book.state == {"k": b"sold"}
    assert shop.state == {"bought": b"k"}
    assert [(write.namespace, write.key) for write in outcome.writes] == [
        ("shop", "bought"),
        ("book", "k"),
    ]
    assert outcome.event == ("bought", b"k")


def test_a_call_that_fails_can_be_survived(book):
    shop = book.ledger.deploy("shop", Shop())
    unknown = shop.submit("buy_anyway", "book", "nothing").text
    assert unknown == "500 You've asked to invoke a function that does not exist: nothing"
    assert "chaincode nowhere not found" in shop.submit("buy_anyway", "nowhere", "f").text
    assert (
        "channel other is not on this ledger" in shop.submit("buy_anyway", "book/other", "f").text
    )
    assert "already part of this transaction" in shop.submit("recurse").text


def test_deploying_again_upgrades_and_keeps_the_state(book):
    class Newer(Contract):
        @transaction("evaluate")
        def read(self, ctx: Context, key: str) -> str:
            return f"newer {ctx.stub.get_state(key).decode()}"

    book.submit("put", "k", "1")
    newer = book.ledger.deploy("book", Newer())
    assert newer.evaluate("read", "k").text == "newer 1"


class Careless(Contract):
    def __init__(self) -> None:
        self.calls = 0

    @transaction
    def draw(self, ctx: Context) -> None:
        ctx.stub.put_state("winner", str(random.random()))

    @transaction
    def count(self, ctx: Context) -> int:
        self.calls += 1
        return self.calls

    @transaction
    def more(self, ctx: Context) -> None:
        self.calls += 1
        for number in range(self.calls):
            ctx.stub.get_state(str(number))

    @transaction
    def fine(self, ctx: Context) -> None:
        ctx.stub.put_state("at", ctx.stub.get_tx_timestamp().isoformat())


@pytest.mark.parametrize(
    ("function", "what"),
    [
        ("draw", "request 1 differs: careless PUT_STATE"),
        ("count", "the answer differs"),
        ("more", "the number of requests to the ledger differs: 1 and then 2"),
    ],
)
def test_running_twice_finds_what_differs_between_peers(function, what):
    careless = MemoryLedger(check_determinism=True).deploy("careless", Careless())
    with pytest.raises(NonDeterministic, match=what):
        careless.submit(function)
    assert careless.state == {}
    assert careless.submit("fine").payload == b""


def test_a_peer_without_batches_behaves_the_same():
    ledger = MemoryLedger(parameters=PeerParameters())
    book = ledger.deploy("book", Ledgerbook())
    outcome = book.submit("put_all", 3)
    assert [write.key for write in outcome.writes] == ["k0000", "k0001", "k0002"]


def test_a_chaincode_that_is_not_deployed_is_an_error():
    with pytest.raises(ChaincodeError, match="nothing is not deployed"):
        MemoryLedger().transact("nothing", ["f"])
