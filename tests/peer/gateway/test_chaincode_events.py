"""ChaincodeEvents: where they begin and which of them pass (Fabric: chaincodeevents_test.go)."""

import asyncio
from contextlib import aclosing

import pytest

from gridloom.common.envelopes import NEWEST, NEXT_COMMIT, OLDEST, block_position
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    SignedChaincodeEventsRequest,
)
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from harness.consortium import Consortium
from harness.gateway_parts import NO_DEADLINE, GatewayBench, three_organizations


def event(tx_id, chaincode="basic", name="Created"):
    return ChaincodeEvent(chaincode_id=chaincode, tx_id=tx_id, event_name=name, payload=b"payload")


@pytest.fixture
def bench():
    """Blocks 1 to 3: three events, none, two events of which one is of another chaincode."""
    bench = GatewayBench()
    bench.channel.commit(event("a"), event("b"), event("c"))
    bench.channel.commit()
    bench.channel.commit(event("d", "other"), event("e"))
    return bench


def signed(start=None, after="", channel_id="mychannel", signer=None):
    signer = signer or three_organizations().user()
    request = ChaincodeEventsRequest(
        channel_id=channel_id,
        chaincode_id="basic",
        identity=signer.serialized,
        start_position=start,
        after_transaction_id=after,
    ).SerializeToString()
    return SignedChaincodeEventsRequest(request=request, signature=signer.sign(request))


async def events(bench, count, request):
    """The first events as (block, transaction), and nothing after them for a moment."""
    found = []
    async with aclosing(bench.gateway.chaincode_events(request, NO_DEADLINE)) as responses:
        while len(found) < count:
            response = await asyncio.wait_for(anext(responses), 60)
            found += [(response.block_number, each.tx_id) for each in response.events]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(responses), 0.02)
    return found


async def refusal(bench, request):
    with pytest.raises(RpcError) as caught:
        await anext(bench.gateway.chaincode_events(request, NO_DEADLINE))
    return caught.value


ALL = [(1, "a"), (1, "b"), (1, "c"), (3, "e")]


async def test_each_block_with_events_is_one_response(bench):
    stream = bench.gateway.chaincode_events(signed(block_position(0)), NO_DEADLINE)
    async with aclosing(stream) as responses:
        first, second = await anext(responses), await anext(responses)
    assert [each.tx_id for each in first.events] == ["a", "b", "c"]
    assert (second.block_number, second.events[0]) == (3, event("e"))


@pytest.mark.parametrize(("start", "first"), [(0, 0), (1, 0), (2, 3), (3, 3)])
async def test_they_begin_with_a_block_that_is_named(bench, start, first):
    assert await events(bench, len(ALL[first:]), signed(block_position(start))) == ALL[first:]


@pytest.mark.parametrize("start", [None, NEXT_COMMIT])
async def test_without_one_they_begin_with_the_next_commit(bench, start):
    async with aclosing(bench.gateway.chaincode_events(signed(start), NO_DEADLINE)) as responses:
        waiting = asyncio.create_task(anext(responses))
        await asyncio.sleep(0)
        bench.channel.commit(event("new"))
        assert (await waiting).events[0].tx_id == "new"


async def test_a_block_yet_to_come_may_be_named(bench):
    stream = bench.gateway.chaincode_events(signed(block_position(5)), NO_DEADLINE)
    async with aclosing(stream) as responses:
        waiting = asyncio.create_task(anext(responses))
        await asyncio.sleep(0)
        bench.channel.commit(event("too early"))
        bench.channel.commit(event("in time"))
        assert (await waiting).events[0].tx_id == "in time"


@pytest.mark.parametrize(("after", "left"), [("a", ALL[1:]), ("c", ALL[3:]), ("d", ALL[3:])])
async def test_after_a_transaction_its_block_is_the_start(bench, after, left):
    assert await events(bench, len(left), signed(NEXT_COMMIT, after)) == left
    assert await events(bench, len(left), signed(block_position(0), after)) == left


async def test_after_an_unknown_transaction_nothing_passes_before_it_was_seen(bench):
    request = signed(block_position(0), "unknown")
    async with aclosing(bench.gateway.chaincode_events(request, NO_DEADLINE)) as responses:
        waiting = asyncio.create_task(anext(responses))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        bench.channel.commit(event("unknown"), event("next"))
        assert [each.tx_id for each in (await waiting).events] == ["next"]


async def test_an_event_without_a_name_or_a_transaction_is_none(bench):
    bench.channel.commit(event("x", name=""), event(""), event("y"))
    assert await events(bench, 1, signed(block_position(4))) == [(4, "y")]


@pytest.mark.parametrize(("start", "name"), [(OLDEST, "Oldest"), (NEWEST, "Newest")])
async def test_other_positions_are_invalid(bench, start, name):
    error = await refusal(bench, signed(start))
    assert (error.code, error.message) == (
        Code.INVALID_ARGUMENT,
        f"invalid start position type: *orderer.SeekPosition_{name}",
    )


@pytest.mark.parametrize(
    ("request_bytes", "message"),
    [
        (b"", "a chaincode events request is required"),
        (b"\xff", "invalid chaincode events request: "),
    ],
)
async def test_what_is_no_request_is_an_invalid_argument(bench, request_bytes, message):
    error = await refusal(bench, SignedChaincodeEventsRequest(request=request_bytes))
    assert error.code is Code.INVALID_ARGUMENT
    assert error.message.startswith(message)


async def test_only_members_may_listen(bench):
    for request in (
        signed(signer=Consortium(seed=99).user()),
        SignedChaincodeEventsRequest(request=signed().request, signature=b"forged"),
        signed(channel_id="nosuch"),
    ):
        assert (await refusal(bench, request)).code is Code.PERMISSION_DENIED
