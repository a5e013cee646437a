"""The requests a stub sends, message by message."""

import pytest

from gridloom.chaincode import ChaincodeError, InvalidKey, PeerError, PeerParameters, Response
from gridloom.chaincode.peer_link import ChaincodeMessage
from gridloom.protos.ledger.queryresult import kv_query_result_pb2
from gridloom.protos.peer import chaincode_pb2, proposal_response_pb2
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from harness.scripted_peer import ScriptedPeer, stub_for


def _parsed(message_type, request):
    return message_type.FromString(request.payload)


def test_each_request_carries_the_transaction_and_its_channel():
    peer = ScriptedPeer(b"value")
    assert stub_for(peer).get_state("k") == b"value"
    (request,) = peer.asked
    assert (request.type, request.txid, request.channel_id) == (
        ChaincodeMessage.GET_STATE,
        "t1",
        "c1",
    )
    assert _parsed(shim.GetState, request) == shim.GetState(key="k")


def test_a_refusal_of_the_peer_is_raised_with_its_text():
    stub = stub_for(ScriptedPeer(RuntimeError("GET_STATE failed: transaction ID: t1: disk")))
    with pytest.raises(PeerError, match="transaction ID: t1: disk") as caught:
        stub.get_state("k")
    assert caught.value.request == "GET_STATE"


def test_an_answer_of_another_type_is_an_error():
    stub = stub_for(lambda request: ChaincodeMessage(type=ChaincodeMessage.READY))
    with pytest.raises(PeerError, match="message type 4"):
        stub.put_state("k", b"v")


@pytest.mark.parametrize(
    ("call", "type_", "request_"),
    [
        (
            lambda stub: stub.put_state("k", "text"),
            "PUT_STATE",
            shim.PutState(key="k", value=b"text"),
        ),
        (lambda stub: stub.delete_state("k"), "DEL_STATE", shim.DelState(key="k")),
        (
            lambda stub: stub.set_state_validation_parameter("k", b"policy"),
            "PUT_STATE_METADATA",
            shim.PutStateMetadata(
                key="k",
                metadata=shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"policy"),
            ),
        ),
        (
            lambda stub: stub.get_state_validation_parameter("k"),
            "GET_STATE_METADATA",
            shim.GetStateMetadata(key="k"),
        ),
        (
            lambda stub: list(stub.get_state_by_range()),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(startKey="\x01"),
        ),
        (
            lambda stub: list(stub.get_state_by_range("a", "b")),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(startKey="a", endKey="b"),
        ),
        (
            lambda stub: stub.get_state_by_range_with_pagination("", "b", 5, "mark"),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(
                startKey="\x01",
                endKey="b",
                metadata=shim.QueryMetadata(pageSize=5, bookmark="mark").SerializeToString(),
            ),
        ),
        (
            lambda stub: list(stub.get_state_by_partial_composite_key("t", ["a"])),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(startKey="\0t\0a\0", endKey="\0t\0a\0\U0010ffff"),
        ),
        (
            lambda stub: stub.get_all_states_composite_key_with_pagination(5),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(
                startKey="\0",
                endKey="\0\U0010ffff",
                metadata=shim.QueryMetadata(pageSize=5).SerializeToString(),
            ),
        ),
        (
            lambda stub: list(stub.get_query_result('{"selector":{}}')),
            "GET_QUERY_RESULT",
            shim.GetQueryResult(query='{"selector":{}}'),
        ),
        (
            lambda stub: stub.get_query_result_with_pagination("q", 3, "b"),
            "GET_QUERY_RESULT",
            shim.GetQueryResult(
                query="q",
                metadata=shim.QueryMetadata(pageSize=3, bookmark="b").SerializeToString(),
            ),
        ),
        (
            lambda stub: list(stub.get_history_for_key("k")),
            "GET_HISTORY_FOR_KEY",
            shim.GetHistoryForKey(key="k"),
        ),
        (
            lambda stub: stub.get_private_data("c", "k"),
            "GET_STATE",
            shim.GetState(key="k", collection="c"),
        ),
        (
            lambda stub: stub.get_private_data_hash("c", "k"),
            "GET_PRIVATE_DATA_HASH",
            shim.GetState(key="k", collection="c"),
        ),
        (
            lambda stub: stub.put_private_data("c", "k", b"v"),
            "PUT_STATE",
            shim.PutState(key="k", value=b"v", collection="c"),
        ),
        (
            lambda stub: stub.delete_private_data("c", "k"),
            "DEL_STATE",
            shim.DelState(key="k", collection="c"),
        ),
        (
            lambda stub: stub.purge_private_data("c", "k"),
            "PURGE_PRIVATE_DATA",
            shim.PurgePrivateState(key="k", collection="c"),
        ),
        (
            lambda stub: list(stub.get_private_data_by_range("c", "", "z")),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(startKey="\x01", endKey="z", collection="c"),
        ),
        (
            lambda stub: list(stub.get_private_data_by_partial_composite_key("c", "t")),
            "GET_STATE_BY_RANGE",
            shim.GetStateByRange(startKey="\0t\0", endKey="\0t\0\U0010ffff", collection="c"),
        ),
        (
            lambda stub: list(stub.get_private_data_query_result("c", "q")),
            "GET_QUERY_RESULT",
            shim.GetQueryResult(query="q", collection="c"),
        ),
        (
            lambda stub: stub.set_private_data_validation_parameter("c", "k", b"p"),
            "PUT_STATE_METADATA",
            shim.PutStateMetadata(
                key="k",
                collection="c",
                metadata=shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"p"),
            ),
        ),
        (
            lambda stub: stub.get_private_data_validation_parameter("c", "k"),
            "GET_STATE_METADATA",
            shim.GetStateMetadata(key="k", collection="c"),
        ),
    ],
)
def test_each_call_is_one_message_of_the_shim_protocol(call, type_, request_):
    peer = ScriptedPeer()
    call(stub_for(peer))
    assert peer.types == [type_]
    assert _parsed(type(request_), peer.asked[0]) == request_


def test_a_validation_parameter_is_one_of_the_metadata_entries():
    entries = [
        shim.StateMetadata(metakey="OTHER", value=b"x"),
        shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"policy"),
    ]
    answer = shim.StateMetadataResult(entries=entries).SerializeToString()
    assert stub_for(ScriptedPeer(answer)).get_state_validation_parameter("k") == b"policy"


@pytest.mark.parametrize(
    "call",
    [
        lambda stub: stub.put_state("", b"v"),
        lambda stub: stub.put_state(5, b"v"),
        lambda stub: stub.get_state(None),
        lambda stub: stub.delete_state(b"k"),
        lambda stub: stub.get_private_data("c", 5),
        lambda stub: stub.put_private_data("c", "", b"v"),
        lambda stub: stub.get_private_data("", "k"),
        lambda stub: stub.put_private_data("", "k", b"v"),
        lambda stub: stub.purge_private_data("", "k"),
        lambda stub: stub.get_private_data_by_range(""),
        lambda stub: stub.get_state_by_range("\0a", ""),
        lambda stub: stub.get_state_by_range("", "\0a"),
        lambda stub: stub.get_state_by_range_with_pagination("\0a", "", 5),
        lambda stub: stub.get_private_data_by_range("c", "\0a"),
        lambda stub: stub.set_event("", b""),
    ],
)
def test_what_fabric_does_not_allow_never_reaches_the_peer(call):
    peer = ScriptedPeer()
    with pytest.raises(InvalidKey):
        call(stub_for(peer))
    assert peer.asked == []


def test_a_value_must_be_bytes_or_text():
    with pytest.raises(TypeError, match="must be bytes or str, got int"):
        stub_for(ScriptedPeer()).put_state("k", 5)


def _results(*keys, more=False, id_="q1"):
    response = shim.QueryResponse(has_more=more, id=id_)
    for key in keys:
        kv = kv_query_result_pb2.KV(namespace="cc", key=key, value=key.encode())
        response.results.add(resultBytes=kv.SerializeToString())
    return response.SerializeToString()


def test_results_are_fetched_only_as_they_are_read():
    peer = ScriptedPeer(_results("a", "b", more=True), _results("c"))
    results = stub_for(peer).get_state_by_range()
    assert [next(results).key, next(results).key] == ["a", "b"]
    assert peer.types == ["GET_STATE_BY_RANGE"]
    assert next(results) == ("c", b"c")
    assert peer.types == ["GET_STATE_BY_RANGE", "QUERY_STATE_NEXT"]
    assert _parsed(shim.QueryStateNext, peer.asked[1]).id == "q1"
    with pytest.raises(StopIteration):
        next(results)
    assert len(peer.asked) == 2


def test_a_query_left_early_is_closed_and_one_read_to_the_end_is_not():
    peer = ScriptedPeer(_results("a", "b", more=True))
    with stub_for(peer).get_state_by_range() as results:
        assert next(results).key == "a"
    assert peer.types == ["GET_STATE_BY_RANGE", "QUERY_STATE_CLOSE"]
    assert list(results) == []
    finished = ScriptedPeer(_results("a"))
    with stub_for(finished).get_state_by_range() as results:
        assert [key for key, value in results] == ["a"]
    assert finished.types == ["GET_STATE_BY_RANGE"]


def test_has_next_looks_ahead_without_losing_a_result():
    results = stub_for(ScriptedPeer(_results("a", more=True), _results())).get_state_by_range()
    assert results.has_next()
    assert results.has_next()
    assert [kv.key for kv in results] == ["a"]
    assert not results.has_next()


def test_a_page_comes_with_its_count_and_bookmark():
    metadata = shim.QueryResponseMetadata(fetched_records_count=2, bookmark="c")
    response = shim.QueryResponse.FromString(_results("a", "b"))
    response.metadata = metadata.SerializeToString()
    peer = ScriptedPeer(response.SerializeToString())
    results, page = stub_for(peer).get_state_by_range_with_pagination("a", "z", 2)
    assert [kv.key for kv in results] == ["a", "b"]
    assert (page.fetched_records_count, page.bookmark) == (2, "c")


def _completed(response):
    return ChaincodeMessage(
        type=ChaincodeMessage.COMPLETED, payload=response.SerializeToString()
    ).SerializeToString()


def test_another_chaincode_is_called_by_name_or_name_and_channel():
    response = proposal_response_pb2.Response(status=200, payload=b"yes", message="fine")
    peer = ScriptedPeer(_completed(response), _completed(response))
    stub = stub_for(peer)
    assert stub.invoke_chaincode("other", ["read", b"\xff"]) == Response(200, "fine", b"yes")
    stub.invoke_chaincode("other", ["read"], "channel2")
    first, second = (_parsed(chaincode_pb2.ChaincodeSpec, each) for each in peer.asked)
    assert first.chaincode_id.name == "other"
    assert list(first.input.args) == [b"read", b"\xff"]
    assert second.chaincode_id.name == "other/channel2"


def test_a_callee_that_fails_is_a_response_which_unwrap_raises():
    failed = proposal_response_pb2.Response(status=404, message="no such order")
    error = ChaincodeMessage(type=ChaincodeMessage.ERROR, payload=b"it broke").SerializeToString()
    peer = ScriptedPeer(_completed(failed), error, RuntimeError("no such chaincode"))
    stub = stub_for(peer)
    answer = stub.invoke_chaincode("other", ["read"])
    assert answer == Response(404, "no such order")
    with pytest.raises(ChaincodeError, match="no such order") as caught:
        answer.unwrap()
    assert caught.value.status == 404
    assert stub.invoke_chaincode("other", ["read"]) == Response(500, "it broke")
    assert stub.invoke_chaincode("other", ["read"]) == Response(500, "no such chaincode")


ALL = PeerParameters(
    use_write_batch=True,
    max_size_write_batch=2,
    use_get_multiple_keys=True,
    max_size_get_multiple_keys=2,
)


def test_several_keys_are_read_in_batches_where_the_peer_allows_it():
    answers = [
        shim.GetStateMultipleResult(values=values).SerializeToString()
        for values in ([b"1", b""], [b"3"])
    ]
    peer = ScriptedPeer(*answers)
    stub = stub_for(peer, parameters=ALL)
    assert stub.get_multiple_states(["a", "b", "c"]) == [b"1", b"", b"3"]
    assert peer.types == ["GET_STATE_MULTIPLE"] * 2
    plain = ScriptedPeer(b"1", b"2")
    assert stub_for(plain).get_multiple_private_data("c", ["a", "b"]) == [b"1", b"2"]
    assert plain.types == ["GET_STATE", "GET_STATE"]


def test_too_few_values_for_the_keys_are_not_taken_for_an_answer():
    peer = ScriptedPeer(shim.GetStateMultipleResult(values=[b"1"]).SerializeToString())
    with pytest.raises(PeerError, match="1 values for 2 keys"):
        stub_for(peer, parameters=ALL).get_multiple_states(["a", "b"])


def test_a_write_batch_sends_the_last_write_of_each_key_in_few_messages():
    peer = ScriptedPeer()
    stub = stub_for(peer, parameters=ALL)
    stub.start_write_batch()
    stub.put_state("a", b"1")
    stub.put_state("b", b"2")
    stub.delete_state("a")
    stub.set_state_validation_parameter("a", b"policy")
    stub.purge_private_data("c", "a")
    assert peer.asked == []
    stub.finish_write_batch()
    records = [
        record for request in peer.asked for record in _parsed(shim.WriteBatchState, request).rec
    ]
    assert peer.types == ["WRITE_BATCH_STATE"] * 2
    kind = shim.WriteRecord.Type.Name
    assert [(kind(r.type), r.collection, r.key, r.value) for r in records] == [
        ("DEL_STATE", "", "a", b""),
        ("PUT_STATE", "", "b", b"2"),
        ("PUT_STATE_METADATA", "", "a", b""),
        ("PURGE_PRIVATE_DATA", "c", "a", b""),
    ]
    assert records[2].metadata.value == b"policy"
    stub.put_state("d", b"4")
    assert peer.types[-1] == "PUT_STATE"


def test_without_the_peers_leave_a_batch_is_single_writes():
    peer = ScriptedPeer()
    stub = stub_for(peer)
    stub.start_write_batch()
    stub.put_state("a", b"1")
    assert peer.types == ["PUT_STATE"]
    stub.finish_write_batch()
    assert peer.types == ["PUT_STATE"]


def test_the_parameters_of_ready_say_what_is_allowed():
    params = chaincode_pb2.ChaincodeAdditionalParams(
        use_write_batch=True, max_size_write_batch=7, use_get_multiple_keys=True
    )
    read = PeerParameters.from_ready(params.SerializeToString())
    assert (read.use_write_batch, read.max_size_write_batch) == (True, 7)
    assert (read.use_get_multiple_keys, read.max_size_get_multiple_keys) == (True, 100)
    assert PeerParameters.from_ready(b"") == PeerParameters()
