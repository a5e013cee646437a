"""A call finds whichever server is there."""

from collections.abc import AsyncIterator

import pytest

from gridloom.common.rpc import Code, RpcError, ServiceRegistry
from gridloom.common.rpc.failover import FailoverChannel
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.protos.common.common_pb2 import Envelope, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

BROADCAST = "/orderer.AtomicBroadcast/Broadcast"


class Service:
    """Counts what it is sent; may fall after so many answers."""

    def __init__(self, answers: int = 10**9) -> None:
        self.heard: list[bytes] = []
        self.answers = answers

    async def broadcast(self, requests: AsyncIterator[Envelope], call: object) -> object:
        async for request in requests:
            self.heard.append(request.payload)
            if len(self.heard) > self.answers:
                raise RpcError(Code.UNAVAILABLE, "fallen")
            yield BroadcastResponse(status=Status.SUCCESS)


def channel(service: Service) -> LocalChannel:
    registry = ServiceRegistry()
    registry.add("orderer.AtomicBroadcast", service)
    return LocalChannel(registry)


async def requests(*payloads: bytes) -> AsyncIterator[Envelope]:
    for payload in payloads:
        yield Envelope(payload=payload)


async def test_the_next_server_gets_everything_if_the_first_is_gone() -> None:
    service = Service()
    failover = FailoverChannel([UnreachableChannel("nowhere:1"), channel(service)])
    answers = [a async for a in failover.stream(BROADCAST, requests(b"a", b"b"), BroadcastResponse)]
    assert len(answers) == 2
    assert service.heard == [b"a", b"b"]


async def test_a_server_that_fell_before_it_answered_is_passed_over() -> None:
    first, second = Service(answers=0), Service()
    failover = FailoverChannel([channel(first), channel(second)])
    for _ in range(2):
        answers = failover.stream(BROADCAST, requests(b"a"), BroadcastResponse)
        assert [answer.status async for answer in answers] == [Status.SUCCESS]
    assert (first.heard, second.heard) == ([b"a"], [b"a", b"a"])


async def test_what_was_answered_is_not_sent_twice() -> None:
    first, second = Service(answers=1), Service()
    failover = FailoverChannel([channel(first), channel(second)])
    with pytest.raises(RpcError, match="fallen"):
        async for _ in failover.stream(BROADCAST, requests(b"a", b"b"), BroadcastResponse):
            pass
    assert second.heard == []


async def test_the_last_error_is_told_when_nobody_is_there() -> None:
    failover = FailoverChannel([UnreachableChannel("one:1"), UnreachableChannel("two:2")])
    with pytest.raises(RpcError, match="two:2"):
        await failover.unary(BROADCAST, Envelope(), BroadcastResponse)
