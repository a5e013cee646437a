"""The shim protocol, request by request, as a scripted chaincode sees it."""

import pytest

from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.chaincode_peer import HostBench, ask, completed, get, invocation, put
from harness.ledger import write


@pytest.fixture
def bench():
    return HostBench.create()


class Execution:
    """One transaction of chaincode ``cc`` that runs a script; keeps what it left."""

    def __init__(self, bench, script, **fields):
        self.bench, self.script, self.fields = bench, script, fields
        self.results = None

    async def run(self, *, is_init=False):
        def transaction(message, exchange):
            self.script(lambda kind, payload: ask(exchange, message, kind, payload))
            return completed(message)

        self.bench.deploy("cc", transaction, **self.fields)
        simulator = self.bench.simulator()
        try:
            await self.bench.host.invoke(
                invocation("cc", b"go", simulator=simulator, is_init=is_init)
            )
            self.results = simulator.results()
        finally:
            simulator.done()
        return self

    @property
    def rwset(self):
        parsed = TxRwSet.parse(self.results.public)
        return {ns.namespace: ns for ns in parsed.namespaces}


async def execute(bench, script, **fields):
    return await Execution(bench, script, **fields).run()


def refused(answer, reason):
    assert answer.type == ChaincodeMessage.ERROR
    kind_and_reason = answer.payload.decode()
    assert kind_and_reason.endswith(f"failed: transaction ID: tx1: {reason}"), kind_and_reason
    return True


def seed(bench, count, namespace="cc"):
    writes = [(f"k{i:04}", b"%d" % i) for i in range(count)]
    write(bench.peer.channels["test"].ledger, *writes, namespace=namespace, tx_id="seed")


async def test_reads_see_the_committed_state_and_writes_are_recorded(bench):
    seed(bench, 3)

    def script(request):
        assert request(ChaincodeMessage.GET_STATE, shim.GetState(key="k0001")).payload == b"1"
        request(ChaincodeMessage.PUT_STATE, shim.PutState(key="k0001", value=b"new"))
        request(ChaincodeMessage.DEL_STATE, shim.DelState(key="k0002"))
        assert request(ChaincodeMessage.GET_STATE, shim.GetState(key="k0001")).payload == b"1"
        absent = request(ChaincodeMessage.GET_STATE, shim.GetState(key="nosuch"))
        assert (absent.type, absent.payload) == (ChaincodeMessage.RESPONSE, b"")

    kv = (await execute(bench, script)).rwset["cc"].kv
    assert [read.key for read in kv.reads] == ["k0001", "nosuch"]
    assert {w.key: (w.value, w.is_delete) for w in kv.writes} == {
        "k0001": (b"new", False),
        "k0002": (b"", True),
    }


async def test_every_invocation_reads_the_sequence_of_its_definition(bench):
    execution = await execute(bench, lambda request: None)
    reads = execution.rwset["_lifecycle"].kv.reads
    assert [read.key for read in reads] == ["namespaces/fields/cc/Sequence"]
    assert set(execution.rwset) == {"_lifecycle"}


async def test_many_keys_are_read_at_once(bench):
    seed(bench, 3)

    def script(request):
        answer = request(
            ChaincodeMessage.GET_STATE_MULTIPLE,
            shim.GetStateMultiple(keys=["k0002", "nosuch", "k0000"]),
        )
        result = shim.GetStateMultipleResult.FromString(answer.payload)
        assert list(result.values) == [b"2", b"", b"0"]

    await execute(bench, script)


async def test_a_batch_of_writes_is_applied_in_order(bench):
    record = shim.WriteRecord

    def script(request):
        batch = shim.WriteBatchState(
            rec=[
                record(type=record.PUT_STATE, key="a", value=b"1"),
                record(type=record.PUT_STATE, key="a", value=b"2"),
                record(type=record.DEL_STATE, key="b"),
                record(
                    type=record.PUT_STATE_METADATA,
                    key="a",
                    metadata=shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"p"),
                ),
            ]
        )
        answer = request(ChaincodeMessage.WRITE_BATCH_STATE, batch)
        assert answer.type == ChaincodeMessage.RESPONSE
        unknown = shim.WriteBatchState(rec=[record(key="a")])
        answer = request(ChaincodeMessage.WRITE_BATCH_STATE, unknown)
        assert refused(answer, "unknown operation type")

    kv = (await execute(bench, script)).rwset["cc"].kv
    assert [(w.key, w.value, w.is_delete) for w in kv.writes] == [
        ("a", b"2", False),
        ("b", b"", True),
    ]
    entries = [(e.name, e.value) for w in kv.metadata_writes for e in w.entries]
    assert entries == [("VALIDATION_PARAMETER", b"p")]


async def test_setting_metadata_replaces_the_whole_map(bench):
    def script(request):
        for name in ("first", "second"):
            entry = shim.StateMetadata(metakey=name, value=b"v")
            request(
                ChaincodeMessage.PUT_STATE_METADATA, shim.PutStateMetadata(key="a", metadata=entry)
            )
        answer = request(ChaincodeMessage.GET_STATE_METADATA, shim.GetStateMetadata(key="a"))
        assert shim.StateMetadataResult.FromString(answer.payload).entries == []

    kv = (await execute(bench, script)).rwset["cc"].kv
    assert [e.name for w in kv.metadata_writes for e in w.entries] == ["second"]


async def test_a_range_comes_in_batches_and_what_was_pulled_is_recorded(bench):
    seed(bench, 250)

    def script(request):
        query = shim.GetStateByRange(startKey="k", endKey="l")
        response = shim.QueryResponse.FromString(
            request(ChaincodeMessage.GET_STATE_BY_RANGE, query).payload
        )
        assert (len(response.results), response.has_more) == (100, True)
        first = KV.FromString(response.results[0].resultBytes)
        assert (first.namespace, first.key, first.value) == ("cc", "k0000", b"0")
        closed = request(ChaincodeMessage.QUERY_STATE_CLOSE, shim.QueryStateClose(id=response.id))
        assert shim.QueryResponse.FromString(closed.payload).has_more is False
        answer = request(ChaincodeMessage.QUERY_STATE_NEXT, shim.QueryStateNext(id=response.id))
        assert refused(answer, "query iterator not found")

    (info,) = (await execute(bench, script)).rwset["cc"].kv.range_queries_info
    assert (info.end_key, info.itr_exhausted) == ("k0100", False)  # the 101st was pulled


async def test_a_range_read_to_its_end_is_exhausted(bench):
    seed(bench, 250)
    found = []

    def script(request):
        query = shim.GetStateByRange(startKey="k", endKey="l")
        answer = request(ChaincodeMessage.GET_STATE_BY_RANGE, query)
        response = shim.QueryResponse.FromString(answer.payload)
        found.extend(response.results)
        while response.has_more:
            more = shim.QueryStateNext(id=response.id)
            answer = request(ChaincodeMessage.QUERY_STATE_NEXT, more)
            response = shim.QueryResponse.FromString(answer.payload)
            found.extend(response.results)

    (info,) = (await execute(bench, script)).rwset["cc"].kv.range_queries_info
    assert len(found) == 250
    assert (info.end_key, info.itr_exhausted) == ("l", True)


async def test_pages_follow_their_bookmarks_and_forbid_writes(bench):
    seed(bench, 5)

    def script(request):
        bookmark, found = "", []
        for _ in range(3):
            metadata = shim.QueryMetadata(pageSize=2, bookmark=bookmark)
            query = shim.GetStateByRange(
                startKey="k", endKey="l", metadata=metadata.SerializeToString()
            )
            answer = request(ChaincodeMessage.GET_STATE_BY_RANGE, query)
            response = shim.QueryResponse.FromString(answer.payload)
            found += [KV.FromString(r.resultBytes).key for r in response.results]
            bookmark = shim.QueryResponseMetadata.FromString(response.metadata).bookmark
        assert found == [f"k{i:04}" for i in range(5)]
        assert bookmark == ""
        answer = request(ChaincodeMessage.PUT_STATE, shim.PutState(key="a", value=b"1"))
        assert answer.type == ChaincodeMessage.ERROR
        assert b"Writes are not allowed" in answer.payload

    await execute(bench, script)


async def test_history_is_newest_first(bench):
    ledger = bench.peer.channels["test"].ledger
    for value in (b"1", b"2"):
        write(ledger, ("a", value), tx_id=f"write {value!r}")
    write(ledger, ("a", b""), tx_id="delete")

    def script(request):
        answer = request(ChaincodeMessage.GET_HISTORY_FOR_KEY, shim.GetHistoryForKey(key="a"))
        response = shim.QueryResponse.FromString(answer.payload)
        found = [KeyModification.FromString(r.resultBytes) for r in response.results]
        assert [(m.value, m.is_delete) for m in found] == [
            (b"", True),
            (b"2", False),
            (b"1", False),
        ]

    await execute(bench, script)


async def test_rich_queries_are_refused_as_with_leveldb(bench):
    def script(request):
        answer = request(ChaincodeMessage.GET_QUERY_RESULT, shim.GetQueryResult(query="{}"))
        assert refused(answer, "ExecuteQuery not supported for leveldb")
        metadata = shim.QueryMetadata(pageSize=1).SerializeToString()
        paged = shim.GetQueryResult(query="{}", metadata=metadata)
        answer = request(ChaincodeMessage.GET_QUERY_RESULT, paged)
        assert refused(answer, "ExecuteQueryWithMetadata not supported for leveldb")

    await execute(bench, script)


@pytest.mark.parametrize(
    "kind",
    [
        ChaincodeMessage.GET_STATE,
        ChaincodeMessage.PUT_STATE,
        ChaincodeMessage.GET_STATE_BY_RANGE,
        ChaincodeMessage.WRITE_BATCH_STATE,
        ChaincodeMessage.INVOKE_CHAINCODE,
    ],
)
async def test_payloads_that_do_not_parse_are_refused_by_name(bench, kind):
    def script(request):
        answer = request(kind, b"\xff\xff")
        assert answer.type == ChaincodeMessage.ERROR
        name = ChaincodeMessage.Type.Name(kind)
        assert answer.payload.decode().startswith(
            f"{name} failed: transaction ID: tx1: unmarshal failed: "
        )

    await execute(bench, script)


@pytest.mark.parametrize("kind", [ChaincodeMessage.REGISTER, ChaincodeMessage.UNDEFINED, 99])
async def test_messages_that_are_no_requests_are_refused(bench, kind):
    def script(request):
        assert refused(request(kind, b""), "cannot handle message while in ready state")

    await execute(bench, script)


async def test_keys_in_any_script_survive(bench):
    key = "\x00typ\x00ключ\x00\U0010ffff"

    def transaction(message, exchange):
        put(exchange, message, key, b"v")
        assert get(exchange, message, key) == b""
        return completed(message)

    bench.deploy("cc", transaction)
    simulator = bench.simulator()
    await bench.host.invoke(invocation("cc", simulator=simulator))
    results = simulator.results()
    simulator.done()
    assert key.encode() in results.public
