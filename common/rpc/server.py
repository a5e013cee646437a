"""The server's side of the seam: services as plain objects, found by their wire name."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from .status import Code, RpcError

SERVICES = {
    "protos.Endorser": "peer.peer_pb2",
    "protos.Deliver": "peer.events_pb2",
    "protos.ChaincodeSupport": "peer.chaincode_shim_pb2",
    "protos.Chaincode": "peer.chaincode_shim_pb2",
    "protos.Snapshot": "peer.snapshot_pb2",
    "gateway.Gateway": "gateway.gateway_pb2",
    "discovery.Discovery": "discovery.protocol_pb2",
    "gossip.Gossip": "gossip.message_pb2",
    "orderer.AtomicBroadcast": "orderer.ab_pb2",
    "orderer.Cluster": "orderer.cluster_pb2",
    "orderer.ClusterNodeService": "orderer.clusterserver_pb2",
}
"""Every service of Fabric's wire, and the module of ``gridloom.protos`` that describes it."""


class Call(NamedTuple):
    """What a service knows of the call it answers besides the messages.

    certificate: DER of the client's TLS certificate, None without one;
    mutual_tls: whether the server verified it; deadline: seconds the client still waits.
    """

    certificate: bytes | None = None
    mutual_tls: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a registered service, with what its protobuf descriptor says of it."""

    path: str
    request_type: type[Message]
    response_type: type[Message]
    client_streaming: bool
    server_streaming: bool
    handler: Callable[..., Any]


class ServiceRegistry:
    """The services of one node, by full name (``protos.Endorser``).

    An implementation has a method in snake_case for each rpc: ``async process_proposal(request,
    call) -> response``; where responses stream, an async generator; where requests stream, the
    first argument is an async iterator.  An rpc without such a method answers UNIMPLEMENTED.
    """

    def __init__(self) -> None:
        self._methods: dict[str, Method] = {}
        self._services: list[str] = []

    def add(self, service: str, implementation: object, *, concurrency: int = 0) -> None:
        """Register ``implementation`` under the full service name; KeyError if unknown.

        concurrency: calls answered at a time, streams included; more are refused with UNKNOWN.
        0 sets no limit.
        """
        importlib.import_module(f"gridloom.protos.{SERVICES[service]}")
        descriptor = descriptor_pool.Default().FindServiceByName(service)
        self._services.append(service)
        limit = _Limit(service, concurrency) if concurrency else None
        for rpc in descriptor.methods:
            handler = getattr(implementation, _snake_case(rpc.name), None)
            if handler is not None:
                if limit is not None:
                    streams = rpc.client_streaming or rpc.server_streaming
                    handler = limit.stream(handler) if streams else limit.unary(handler)
                method = _method(service, rpc, handler)
                self._methods[method.path] = method

    def exchange(self, other: ServiceRegistry) -> None:
        """Answer as another one does from now on, also to whom holds a channel to this one."""
        self._methods = dict(other._methods)
        self._services = list(other._services)

    @property
    def services(self) -> tuple[str, ...]:
        """Full names of the registered services, in order of registration."""
        return tuple(self._services)

    def __iter__(self) -> Iterator[Method]:
        return iter(self._methods.values())

    def find(self, path: str) -> Method:
        """Return the method at ``path``; RpcError UNIMPLEMENTED if there is none."""
        try:
            return self._methods[path]
        except KeyError:
            raise RpcError(Code.UNIMPLEMENTED, f"unknown method {path}") from None


class _Limit:
    """How many calls of one service are under way (Fabric: internal/peer/node/grpc_limiters.go)."""

    def __init__(self, service: str, most: int) -> None:
        self._service = service
        self._most = most
        self._calls = 0

    def unary(self, handler: Callable[..., Awaitable[Message]]) -> Callable[..., Any]:
        async def limited(request: Message, call: Call) -> Message:
            self._admit()
            try:
                return await handler(request, call)
            finally:
                self._calls -= 1

        return limited

    def stream(self, handler: Callable[..., AsyncGenerator[Message, None]]) -> Callable[..., Any]:
        async def limited(requests: object, call: Call) -> AsyncGenerator[Message, None]:
            self._admit()
            try:
                async with aclosing(handler(requests, call)) as responses:
                    async for response in responses:
                        yield response
            finally:
                self._calls -= 1

        return limited

    def _admit(self) -> None:
        if self._calls >= self._most:
            raise RpcError(
                Code.UNKNOWN,
                f"too many requests for /{self._service}, "
                f"exceeding concurrency limit ({self._most})",
            )
        self._calls += 1


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _method(service: str, rpc: MethodDescriptor, handler: Callable[..., Any]) -> Method:
    return Method(
        path=f"/{service}/{rpc.name}",
        request_type=message_factory.GetMessageClass(rpc.input_type),
        response_type=message_factory.GetMessageClass(rpc.output_type),
        client_streaming=rpc.client_streaming,
        server_streaming=rpc.server_streaming,
        handler=handler,
    )
