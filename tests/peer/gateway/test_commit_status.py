"""CommitStatus: who may ask, and when the answer comes (Fabric: commitstatus_test.go)."""

import asyncio

import pytest

from gridloom.common.rpc import Code, RpcError
from gridloom.peer.channel import ChannelStopped
from gridloom.protos.gateway.gateway_pb2 import CommitStatusRequest, SignedCommitStatusRequest
from gridloom.protos.peer.transaction_pb2 import MVCC_READ_CONFLICT
from harness.consortium import Consortium
from harness.gateway_parts import NO_DEADLINE, GatewayBench, three_organizations


@pytest.fixture
def bench():
    return GatewayBench()


def signed(channel_id="mychannel", transaction_id="tx", signer=None, **changes):
    signer = signer or three_organizations().user()
    fields = {"identity": signer.serialized, **changes}
    request = CommitStatusRequest(
        channel_id=channel_id, transaction_id=transaction_id, **fields
    ).SerializeToString()
    return SignedCommitStatusRequest(request=request, signature=signer.sign(request))


async def status(bench, request):
    response = await bench.gateway.commit_status(request, NO_DEADLINE)
    return response.result, response.block_number


async def refusal(bench, request):
    with pytest.raises(RpcError) as caught:
        await status(bench, request)
    return caught.value


async def test_what_is_committed_is_told_at_once(bench):
    bench.channel.fates["tx"] = (MVCC_READ_CONFLICT, 7)
    assert await status(bench, signed()) == (MVCC_READ_CONFLICT, 7)


async def test_what_is_not_yet_committed_is_waited_for(bench):
    waiting = asyncio.create_task(status(bench, signed()))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    bench.channel.fates["tx"] = (0, 3)
    bench.channel.grown.set()
    assert await waiting == (0, 3)


async def test_a_channel_that_has_stopped_is_an_abort(bench):
    bench.channel.failure = ChannelStopped("mychannel", 4, "broken block")
    error = await refusal(bench, signed())
    assert (error.code, error.message) == (
        Code.ABORTED,
        "channel mychannel has stopped at block 4: broken block",
    )


async def test_only_members_may_ask(bench):
    stranger = Consortium(seed=99).user()
    for request in (
        signed(signer=stranger),
        SignedCommitStatusRequest(request=signed().request, signature=b"forged"),
        SignedCommitStatusRequest(request=signed().request),
        signed(channel_id="nosuch"),
        signed(identity=three_organizations().user(2).serialized),
    ):
        error = await refusal(bench, request)
        assert (error.code, error.details) == (Code.PERMISSION_DENIED, ())


@pytest.mark.parametrize(
    ("request_bytes", "message"),
    [
        (b"", "a commit status request is required"),
        (b"\xff", "invalid status request: "),
        (signed(identity=b"").request, "no identity provided"),
        (signed(channel_id="").request, "no channel ID provided"),
        (signed(transaction_id="").request, "transaction ID should not be empty"),
    ],
    ids=["empty", "garbage", "identity", "channel", "transaction"],
)
async def test_what_says_too_little_is_an_invalid_argument(bench, request_bytes, message):
    error = await refusal(bench, SignedCommitStatusRequest(request=request_bytes))
    assert error.code is Code.INVALID_ARGUMENT
    assert error.message.startswith(message)
