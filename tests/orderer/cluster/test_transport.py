"""How often a node that does not take messages is asked again."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from gridloom.common.rpc import Code, RpcError
from gridloom.orderer.cluster.members import Member
from gridloom.orderer.cluster.transport import ClusterTransport
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest
from harness.virtual_time import virtual

REQUEST = StepRequest(consensus_request=ConsensusRequest(channel="mychannel"))


class Refusing:
    """A node that ends each stream after its first message, until it is told otherwise."""

    def __init__(self, code: Code) -> None:
        self.code: Code | None = code
        self.opened: list[float] = []
        self.taken = 0

    async def stream(
        self, method: str, requests: AsyncIterator[object], response_type: object
    ) -> AsyncGenerator[object, None]:
        self.opened.append(asyncio.get_running_loop().time())
        async for _ in requests:
            if self.code is not None:
                raise RpcError(self.code, "no")
            self.taken += 1
        return
        yield

    async def close(self) -> None:
        """Nothing to close."""


class Sender:
    """Sends a message each tenth of a second, as a leader does."""

    def __init__(self, node: Refusing) -> None:
        self.lost: list[RpcError | None] = []
        self.transport = ClusterTransport(
            "mychannel", lambda _: node, lambda _, error: self.lost.append(error)
        )
        self.transport.configure([Member(2, "host:1", b"", b"")])

    async def send_for(self, seconds: float) -> None:
        for _ in range(round(10 * seconds)):
            self.transport.send(2, REQUEST)
            await asyncio.sleep(0.1)


@virtual
async def test_a_node_that_refuses_is_asked_less_and_less_often() -> None:
    node = Refusing(Code.NOT_FOUND)
    sender = Sender(node)
    await sender.send_for(120)
    pauses = [after - before for before, after in zip(node.opened, node.opened[1:], strict=False)]
    assert max(pauses) == pytest.approx(10, abs=0.3)
    assert len(node.opened) < 25
    assert {error.code for error in sender.lost if error} == {Code.NOT_FOUND}
    await sender.transport.close()


@virtual
async def test_a_node_that_cannot_be_reached_is_tried_again_soon() -> None:
    node = Refusing(Code.UNAVAILABLE)
    sender = Sender(node)
    await sender.send_for(60)
    pauses = [after - before for before, after in zip(node.opened, node.opened[1:], strict=False)]
    assert max(pauses) < 1
    await sender.transport.close()


@virtual
async def test_a_node_that_refused_and_is_heard_again_gets_messages_at_once() -> None:
    node = Refusing(Code.NOT_FOUND)
    sender = Sender(node)
    await sender.send_for(60)
    node.code = None
    sender.transport.heard(2)
    await sender.send_for(1)
    assert node.taken
    await sender.transport.close()


@virtual
async def test_a_node_that_speaks_and_refuses_is_not_asked_for_each_word() -> None:
    node = Refusing(Code.PERMISSION_DENIED)
    sender = Sender(node)
    await sender.send_for(30)
    before = len(node.opened)
    for _ in range(100):
        sender.transport.heard(2)
        await sender.send_for(0.1)
    assert len(node.opened) - before <= 21
    await sender.transport.close()


def test_only_the_first_refusal_is_news(caplog) -> None:
    caplog.set_level(logging.INFO)

    @virtual
    async def run() -> None:
        sender = Sender(Refusing(Code.NOT_FOUND))
        await sender.send_for(120)
        await sender.transport.close()

    run()
    said = [each for each in caplog.records if "ended: NOT_FOUND" in each.getMessage()]
    assert len(said) == 1


@virtual
async def test_a_stream_that_worked_counts_no_earlier_failures() -> None:
    node = Refusing(Code.UNAVAILABLE)
    sender = Sender(node)
    await sender.send_for(30)
    node.code = None
    await sender.send_for(5)
    node.code = Code.UNAVAILABLE
    before = len(node.opened)
    await sender.send_for(0.5)
    assert len(node.opened) > before
    await sender.transport.close()


class Ending(Refusing):
    """A node whose stream ends at the very moment at which it is cancelled."""

    async def stream(
        self, method: str, requests: AsyncIterator[object], response_type: object
    ) -> AsyncGenerator[object, None]:
        async for _ in requests:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise RpcError(Code.UNAVAILABLE, "the other side has gone") from None
        return
        yield


@virtual
async def test_it_closes_also_when_its_streams_end_at_that_moment() -> None:
    sender = Sender(Ending(Code.UNAVAILABLE))
    await sender.send_for(1)
    async with asyncio.timeout(1):
        await sender.transport.close()
    assert sender.lost == []


@virtual
async def test_it_closes_while_it_waits_for_the_end_of_a_refusal() -> None:
    sender = Sender(Refusing(Code.NOT_FOUND))
    await sender.send_for(30)
    sender.transport.heard(2)
    async with asyncio.timeout(1):
        await sender.transport.close()
