"""Stage B: reads against the state and the block so far, and against a naive model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.rwset import CollRwSet, NsRwSet, TxRwSet
from gridloom.peer.ledger.state_db import Version
from gridloom.peer.validation.block_transaction import BlockTransaction
from gridloom.peer.validation.mvcc import validate_and_prepare
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv
from gridloom.protos.peer.transaction_pb2 import (
    BAD_RWSET,
    INVALID_OTHER_REASON,
    MVCC_READ_CONFLICT,
    NIL_TXACTION,
    PHANTOM_READ_CONFLICT,
    VALID,
)
from harness.ledger import commit, endorsed, memory_ledger, simulate, stage_a, write


@pytest.fixture
def ledger():
    ledger = memory_ledger()
    write(ledger, *((f"k{number}", b"v") for number in range(6)))
    return ledger


def codes(ledger, *works):
    """Codes of a block whose transactions were all simulated on the present state."""
    transactions = [
        endorsed(simulate(ledger, work).public, f"tx{number}") for number, work in enumerate(works)
    ]
    return [transaction.code for transaction in commit(ledger, transactions).transactions]


def read(key):
    return lambda s: s.get_state("cc", key)


def put(*keys):
    return lambda s: [s.set_state("cc", key, b"new") for key in keys]


def delete(key):
    return lambda s: s.delete_state("cc", key)


def scan(start, end, limit=10_000):
    def work(simulator):
        iterator = simulator.get_state_range("cc", start, end)
        for _ in range(limit):
            if iterator.next() is None:
                break

    return work


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (put("k1"), read("k1"), MVCC_READ_CONFLICT),
        (put("k1"), read("k2"), VALID),
        (put("k1"), put("k1"), VALID),
        (delete("k1"), read("k1"), MVCC_READ_CONFLICT),
        (delete("absent"), read("absent"), MVCC_READ_CONFLICT),
        (put("absent"), read("absent"), MVCC_READ_CONFLICT),
        (read("k1"), read("k1"), VALID),
        (lambda s: s.set_state_metadata("cc", "k1", {"a": b"b"}), read("k1"), MVCC_READ_CONFLICT),
        (lambda s: s.set_state_metadata("cc", "absent", {"a": b"b"}), read("absent"), VALID),
        (lambda s: s.set_state("other", "k1", b"v"), read("k1"), VALID),
        (put("k15"), scan("k1", "k3"), PHANTOM_READ_CONFLICT),
        (put("k1"), scan("k1", "k3"), PHANTOM_READ_CONFLICT),
        (put("k3"), scan("k1", "k3"), VALID),
        (delete("k2"), scan("k1", "k3"), PHANTOM_READ_CONFLICT),
        (delete("k15"), scan("k1", "k3"), VALID),
        (put("k9"), scan("k1", ""), PHANTOM_READ_CONFLICT),
        (put("k3"), scan("k1", "k5", limit=2), VALID),
        (put("k2"), scan("k1", "k5", limit=2), PHANTOM_READ_CONFLICT),
        (delete("k2"), scan("k1", "k5", limit=2), PHANTOM_READ_CONFLICT),
        (put("k15"), scan("k1", "k5", limit=2), PHANTOM_READ_CONFLICT),
        (put("x"), scan("x", "y"), PHANTOM_READ_CONFLICT),
        (put("z"), scan("x", "y"), VALID),
    ],
)
def test_what_an_earlier_transaction_of_the_block_spoils(ledger, first, second, code):
    assert codes(ledger, first, second) == [VALID, code]


@pytest.mark.parametrize(
    ("between", "work", "code"),
    [
        (put("k1"), read("k1"), MVCC_READ_CONFLICT),
        (delete("k1"), read("k1"), MVCC_READ_CONFLICT),
        (put("absent"), read("absent"), MVCC_READ_CONFLICT),
        (put("k2"), read("k1"), VALID),
        (put("k15"), scan("k1", "k3"), PHANTOM_READ_CONFLICT),
        (delete("k2"), scan("k1", "k3"), PHANTOM_READ_CONFLICT),
        (put("k3"), scan("k1", "k5", limit=2), VALID),
    ],
)
def test_what_an_earlier_block_spoils(ledger, between, work, code):
    late = endorsed(simulate(ledger, work).public, "late")
    assert codes(ledger, between) == [VALID]
    assert [t.code for t in commit(ledger, [late]).transactions] == [code]


def test_an_invalid_transaction_spoils_nothing(ledger):
    def stale(simulator):
        simulator.get_state("cc", "k1")
        simulator.set_state("cc", "k2", b"never")

    assert codes(ledger, put("k1"), stale, read("k2")) == [VALID, MVCC_READ_CONFLICT, VALID]


def test_a_range_opened_and_never_read_stands_for_the_rest_of_the_namespace(ledger):
    assert codes(ledger, scan("k9", "", limit=0)) == [VALID]
    assert codes(ledger, scan("k1", "k2", limit=0)) == [PHANTOM_READ_CONFLICT]


def test_keys_are_checked_before_ranges_and_namespaces_in_their_order(ledger):
    def both(simulator):
        list(simulator.get_state_range("cc", "k1", "k3"))
        simulator.get_state("cc", "k5")

    assert codes(ledger, put("k1", "k5"), both)[1] == MVCC_READ_CONFLICT

    def two(simulator):
        list(simulator.get_state_range("cc", "k1", "k3"))
        simulator.get_state("dd", "k")

    touch = lambda s: (put("k1")(s), s.set_state("dd", "k", b"v"))  # noqa: E731
    assert codes(ledger, touch, two)[1] == PHANTOM_READ_CONFLICT


def test_hashed_reads_conflict_like_keys(ledger):
    def private(simulator):
        simulator.set_private_data("cc", "c", "k", b"v")

    def read_hash(simulator):
        simulator.get_private_data_hash("cc", "c", "k")

    assert codes(ledger, private, read_hash) == [VALID, MVCC_READ_CONFLICT]
    late = endorsed(simulate(ledger, read_hash).public, "late")
    assert codes(ledger, lambda s: s.delete_private_data("cc", "c", "k")) == [VALID]
    assert [t.code for t in commit(ledger, [late]).transactions] == [MVCC_READ_CONFLICT]
    assert codes(ledger, private, lambda s: s.get_private_data_hash("cc", "d", "k")) == [VALID] * 2


@pytest.mark.parametrize("count", [50, 51, 52, 102, 2601, 2653])
def test_long_ranges_are_compared_by_their_hashes(count):
    ledger = memory_ledger()
    write(ledger, *((f"{number:05}", b"v") for number in range(count)))
    assert codes(ledger, scan("", "")) == [VALID]
    spoilers = [put(f"{count:05}"), put("00000x"), delete(f"{count - 1:05}"), put("00025")]
    for spoiler in spoilers:
        late = endorsed(simulate(ledger, scan("", "")).public, f"late {spoiler}")
        assert codes(ledger, spoiler, scan("", "")) == [VALID, PHANTOM_READ_CONFLICT]
        assert [t.code for t in commit(ledger, [late]).transactions] == [PHANTOM_READ_CONFLICT]


def range_set(info):
    return TxRwSet((NsRwSet.of("cc", kv.KVRWSet(range_queries_info=[info]), ()),))


@pytest.mark.parametrize(
    "info",
    [
        kv.RangeQueryInfo(
            end_key="k1",
            itr_exhausted=True,
            reads_merkle_hashes=kv.QueryReadsMerkleSummary(max_degree=degree, max_level=1),
        )
        for degree in (0, 1, 2, 50, 2**32 - 1)
    ]
    + [
        kv.RangeQueryInfo(
            end_key="k1",
            itr_exhausted=True,
            raw_reads=kv.QueryReads(kv_reads=[kv.KVRead(key="k0")]),
        )
    ],
)
def test_summaries_and_reads_that_no_peer_makes_never_match(ledger, info):
    snapshot = ledger.snapshot()
    transaction = endorsed(b"", "odd")
    transaction.rwset = range_set(info)
    assert validate_and_prepare(9, [transaction], snapshot)[0] == [PHANTOM_READ_CONFLICT]
    snapshot.close()


def test_a_transaction_without_action_or_set_gets_fabrics_codes(ledger):
    no_action, no_set, refused = (endorsed(b"", str(number)) for number in range(3))
    no_action.proposal_response_payload = b""
    no_set.rwset = None
    refused.code, refused.rwset = BAD_RWSET, None
    snapshot = ledger.snapshot()
    found, batch = validate_and_prepare(9, [no_action, no_set, refused], snapshot)
    assert found == [NIL_TXACTION, INVALID_OTHER_REASON, BAD_RWSET]
    assert list(batch.stored()) == []
    snapshot.close()


def test_a_configuration_goes_into_the_nameless_namespace(ledger):
    config = stage_a(50)[0]
    empty = BlockTransaction(index=1, envelope=b"", code=VALID, header_type=common_pb2.CONFIG)
    snapshot = ledger.snapshot()
    found, batch = validate_and_prepare(50, [config, empty], snapshot)
    snapshot.close()
    assert found == [VALID, INVALID_OTHER_REASON]
    entry = batch.pending("", "", b"CHANNEL_CONFIG_ENV_BYTES")
    assert (entry.value, entry.version) == (config.config_bytes, Version(50, 0))


# Against a naive model: the state is a dictionary, every check looks at everything.

KEYS = ["", "a", "b", "c", "d"]
keys = st.sampled_from(KEYS)
bounds = st.sampled_from([*KEYS, "bb", "zz"])
operations = st.one_of(
    st.tuples(st.just("read"), keys),
    st.tuples(st.just("write"), keys),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("meta"), keys),
    st.tuples(st.just("scan"), bounds, bounds, st.integers(0, 6)),
    st.tuples(st.just("private"), keys),
    st.tuples(st.just("hash"), keys),
)
transactions = st.lists(operations, max_size=4)


def naive_view(state, start, end):
    """Keys and versions in a range of a state {key: version}."""
    return [(k, state[k]) for k in sorted(state) if k >= start and (not end or k < end)]


class NaiveState:
    """Versions of present keys, public and hashed."""

    def __init__(self, public=(), hashed=()):
        self.public, self.hashed = dict(public), dict(hashed)

    def copy(self):
        return NaiveState(self.public, self.hashed)


def naive_expectations(operation, seen):
    """(kind, check on the state as it would be now, keys touched) of one operation's reads."""
    verb, *args = operation
    if verb == "read":
        return lambda now: now.public.get(args[0]) == seen.public.get(args[0])
    if verb == "hash":
        return lambda now: now.hashed.get(args[0]) == seen.hashed.get(args[0])
    start, end, limit = args
    view = naive_view(seen.public, start, end)
    if limit > len(view):
        return lambda now: naive_view(now.public, start, end) == view
    taken = view[:limit]
    # An end key of "" is no bound: then the rest of the namespace counts, and key "" after it.
    if not taken:
        return lambda now: not naive_view(now.public, start, "") and "" not in now.public
    if taken[-1][0] == "":
        return lambda now: False

    def prefix_same(now):
        last = taken[-1][0]
        return [item for item in naive_view(now.public, start, "") if item[0] <= last] == taken

    return prefix_same


def naive_block(state, number, block, seen):
    """Codes of a block (each transaction simulated on ``seen``) and the state after it."""
    now, touched, touched_hashes, found = state.copy(), set(), set(), []
    for index, (operations_, basis) in enumerate(zip(block, seen, strict=True)):
        reads = [op for op in operations_ if op[0] in ("read", "scan", "hash")]
        code = VALID
        for verbs, conflict in (
            ("read", MVCC_READ_CONFLICT),
            ("scan", PHANTOM_READ_CONFLICT),
            ("hash", MVCC_READ_CONFLICT),
        ):
            for op in (op for op in reads if op[0] == verbs):
                was_touched = op[1] in {"read": touched, "hash": touched_hashes}.get(op[0], ())
                if code == VALID and (was_touched or not naive_expectations(op, basis)(now)):
                    code = conflict
        found.append(code)
        if code == VALID:
            naive_apply(now, operations_, (number, index), touched, touched_hashes)
    return found, now


def naive_apply(now, operations_, version, touched, touched_hashes):
    last = {op[1]: op[0] for op in operations_ if op[0] in ("write", "delete")}
    metas = {op[1] for op in operations_ if op[0] == "meta"}
    for key, verb in last.items():
        touched.add(key)
        if verb == "write":
            now.public[key] = version
        else:
            now.public.pop(key, None)
    for key in metas - last.keys():
        if key in now.public:
            touched.add(key)
            now.public[key] = version
    for op in operations_:
        if op[0] == "private":
            touched_hashes.add(op[1])
            now.hashed[op[1]] = version


def perform(simulator, operation):
    verb, *args = operation
    if verb == "read":
        simulator.get_state("cc", args[0])
    elif verb == "write":
        simulator.set_state("cc", args[0], b"v")
    elif verb == "delete":
        simulator.delete_state("cc", args[0])
    elif verb == "meta":
        simulator.set_state_metadata("cc", args[0], {"m": b"1"})
    elif verb == "private":
        simulator.set_private_data("cc", "c", args[0], b"v")
    elif verb == "hash":
        simulator.get_private_data_hash("cc", "c", args[0])
    else:
        scan(*args)(simulator)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(transactions, max_size=5), max_size=4), st.data())
def test_codes_and_state_equal_the_naive_models(blocks_, data):
    ledger = Ledger("test", MemoryStore())
    commit(ledger, [])
    states = [NaiveState()]
    simulators = []
    for number, block in enumerate(blocks_, 1):
        pending, seen = [], []
        for index, operations_ in enumerate(block):
            # Some were endorsed on an older state: their simulator was opened back then.
            old = data.draw(st.booleans()) and simulators
            simulator, basis = old.pop(0) if old else (ledger.simulator("tx"), states[-1])
            for operation in operations_:
                perform(simulator, operation)
            pending.append(endorsed(simulator.results().public, f"{number}-{index}"))
            seen.append(basis)
            simulator.done()
        simulators.append((ledger.simulator("old"), states[-1]))
        expected, after = naive_block(states[-1], number, block, seen)
        assert [t.code for t in commit(ledger, pending).transactions] == expected
        states.append(after)
        check_state(ledger, after)


def check_state(ledger, expected):
    snapshot = ledger.snapshot()
    public = {k.decode(): tuple(e.version) for k, e in snapshot.range("cc", b"", b"")}
    hashed = [tuple(e.version) for _, e in snapshot.range("cc$$hc", b"", b"")]
    snapshot.close()
    assert public == expected.public
    assert sorted(hashed) == sorted(expected.hashed.values())


def test_an_unused_collection_set_is_harmless(ledger):
    transaction = endorsed(b"", "tx")
    transaction.rwset = TxRwSet(
        (NsRwSet.of("cc", kv.KVRWSet(), (CollRwSet("c", kv.HashedRWSet(), b""),)),)
    )
    assert [t.code for t in commit(ledger, [transaction]).transactions] == [VALID]
