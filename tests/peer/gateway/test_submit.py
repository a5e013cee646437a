"""Submit: to one orderer, or to all of a BFT service (Fabric: submit_test.go)."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.peer.gateway import GatewayOptions
from gridloom.peer.gateway.broadcast_streams import OrdererInfo
from gridloom.peer.gateway.submit import bft_quorum
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.gateway.gateway_pb2 import SubmitRequest, SubmitResponse
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse
from gridloom.protos.orderer.configuration_pb2 import ConsensusType
from harness.gateway_parts import NO_DEADLINE, GatewayBench, ScriptedOrderer
from harness.virtual_time import virtual

ENVELOPE = Envelope(payload=b"payload", signature=b"signature")
NOT_ONE = "no orderers could successfully process transaction"
NO_QUORUM = (
    "insufficient number of orderers could successfully process transaction to satisfy quorum "
    "requirement"
)


@pytest.fixture
def bench():
    return GatewayBench(options=GatewayOptions(broadcast_timeout=60.0))


async def submit(bench, envelope=ENVELOPE, channel_id="mychannel", call=NO_DEADLINE):
    request = SubmitRequest(channel_id=channel_id, prepared_transaction=envelope)
    return await bench.gateway.submit(request, call)


async def refusal(bench, *arguments, **options):
    with pytest.raises(RpcError) as caught:
        await submit(bench, *arguments, **options)
    return caught.value


def answer(bench, *answers):
    """Let the orderers answer: a status, a whole response, an exception, None to hang."""
    for orderer, each in zip(bench.orderers, answers, strict=True):
        response = BroadcastResponse(status=each) if isinstance(each, int) else each
        orderer.channel.status = response


def asked(bench):
    return [orderer.channel.asked for orderer in bench.orderers]


def make_bft(bench, orderers=4):
    config = Config()
    config.CopyFrom(bench.channel.bundle.config)
    value = config.channel_group.groups["Orderer"].values["ConsensusType"]
    value.value = ConsensusType(type="BFT").SerializeToString()
    bench.channel.bundle = ChannelBundle("mychannel", config)
    bench.orderers = [
        OrdererInfo("OrdererMSP", f"orderer{n}:7050", ScriptedOrderer()) for n in range(orderers)
    ]


async def test_one_orderer_that_accepts_is_enough(bench):
    assert await submit(bench) == SubmitResponse()
    assert sorted(asked(bench)) == [0, 1]


async def test_orderers_share_the_work(bench):
    for _ in range(20):
        await submit(bench)
    assert min(asked(bench)) > 2


@pytest.mark.parametrize("failure", [503, 500, RpcError(Code.UNAVAILABLE, "connection refused")])
async def test_an_orderer_that_cannot_is_left_for_another(bench, failure):
    for _ in range(5):
        answer(bench, failure, 200)
        await submit(bench)
    assert asked(bench)[1] == 5


async def test_a_refusal_is_final(bench):
    refused = BroadcastResponse(status=400, info="err-info")
    answer(bench, refused, refused)
    error = await refusal(bench)
    assert (error.code, error.message, error.details) == (
        Code.ABORTED,
        "received unsuccessful response from orderer: status=BAD_REQUEST, info=err-info",
        (),
    )
    assert sum(asked(bench)) == 1


async def test_when_all_have_failed_those_that_could_not_be_reached_are_told(bench):
    answer(bench, 503, RpcError(Code.UNAVAILABLE, "connection refused"))
    error = await refusal(bench)
    assert (error.code, error.message) == (Code.UNAVAILABLE, NOT_ONE)
    (detail,) = error.details
    assert (detail.address, detail.msp_id, detail.message) == (
        "orderer1:7050",
        "OrdererMSP",
        "rpc error: code = Unavailable desc = connection refused",
    )


async def test_without_orderers_nothing_is_available(bench):
    bench.orderers = []
    error = await refusal(bench)
    assert (error.code, error.message) == (Code.UNAVAILABLE, "no orderer nodes available")


async def test_an_unknown_channel_is_a_failed_precondition(bench):
    error = await refusal(bench, channel_id="nosuch")
    assert (error.code, error.message) == (
        Code.FAILED_PRECONDITION,
        "failed to get config for channel [nosuch]: could not get last config for channel nosuch",
    )


@pytest.mark.parametrize(
    ("envelope", "message"),
    [
        (None, "a prepared transaction is required"),
        (Envelope(payload=b"payload"), "prepared transaction must be signed"),
    ],
)
async def test_what_is_no_signed_transaction_is_an_invalid_argument(bench, envelope, message):
    error = await refusal(bench, envelope)
    assert (error.code, error.message) == (Code.INVALID_ARGUMENT, message)


@virtual
async def test_an_orderer_that_is_too_slow_is_left_for_another():
    bench = GatewayBench(options=GatewayOptions(broadcast_timeout=0.02))
    for _ in range(3):
        answer(bench, None, 200)
        await submit(bench)
    answer(bench, None, None)
    error = await refusal(bench)
    assert (error.code, len(error.details)) == (Code.UNAVAILABLE, 2)


@virtual
async def test_the_client_stops_waiting(bench):
    answer(bench, None, None)
    error = await refusal(bench, call=Call(deadline=0.02))
    assert (error.code, error.message) == (
        Code.DEADLINE_EXCEEDED,
        "submit timeout expired while broadcasting to ordering service",
    )


class TestBft:
    @pytest.mark.parametrize(
        ("nodes", "votes"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
    )
    def test_the_quorum(self, nodes, votes):
        assert bft_quorum(nodes) == votes

    async def test_all_orderers_are_asked_and_three_of_four_decide(self, bench):
        make_bft(bench)
        answer(bench, 200, 503, 200, 200)
        await submit(bench)
        assert asked(bench) == [1, 1, 1, 1]

    async def test_a_hanging_one_does_not_delay_the_others(self, bench):
        make_bft(bench)
        answer(bench, 200, 200, None, 200)
        await submit(bench, call=Call(deadline=60))

    async def test_one_that_has_it_already_counts(self, bench):
        make_bft(bench)
        known = BroadcastResponse(
            status=503, info="failed to submit request: request already exists"
        )
        answer(bench, known, 200, known, 503)
        await submit(bench)

    async def test_too_few_are_told_with_what_each_said(self, bench):
        make_bft(bench)
        refused = BroadcastResponse(status=400, info="no")
        answer(bench, 200, refused, RpcError(Code.UNAVAILABLE, "gone"), 200)
        error = await refusal(bench)
        assert (error.code, error.message) == (Code.UNAVAILABLE, NO_QUORUM)
        assert {detail.message for detail in error.details} == {
            "received unsuccessful response from orderer: status=BAD_REQUEST, info=no",
            "rpc error: code = Unavailable desc = gone",
        }

    @virtual
    async def test_too_few_in_time_are_a_deadline(self, bench):
        make_bft(bench)
        answer(bench, 200, 200, None, None)
        assert (await refusal(bench, call=Call(deadline=0.02))).code is Code.DEADLINE_EXCEEDED
