"""The gateway of a replica: it has a transaction endorsed by all replicas of its process.

Of gateway.Gateway there is Endorse alone, as in gateway/endorse.py; what one of them leaves to its
peer, the gateway leaves to its own.  (Fabric has none: see replica.py)
"""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from google.protobuf.message import Message

from gridloom.common.rpc import Call, Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel, M
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse

from .discovery.peers import PeerDirectory, PeerInfo
from .endorser import Elsewhere
from .gateway.endorse import endorse
from .gateway.registry import Registry
from .replica import Replica


class ReplicaGateway:
    """Acts for clients of one peer.

    local: this peer; replica: its own; replicas: of all peers of the directory;
    endorsement_timeout: seconds for each of them.
    """

    def __init__(
        self,
        local: PeerInfo,
        replica: Replica,
        replicas: Collection[Replica],
        directory: PeerDirectory,
        *,
        random: Random,
        endorsement_timeout: float,
    ) -> None:
        self._registry = Registry(local, directory, replica.channel, random)
        self._replicas = replicas
        self._timeout = endorsement_timeout

    async def endorse(self, request: EndorseRequest, call: Call) -> EndorseResponse:
        """Collect the endorsements of a transaction; RpcError as the peer's gateway.

        UNIMPLEMENTED if a peer is needed itself.  Who calls gives up when its client does.
        """
        for replica in self._replicas:
            replica.catch_up()
        try:
            return await endorse(self._registry, request, endorsement_timeout=self._timeout)
        except Elsewhere as error:
            raise RpcError(Code.UNIMPLEMENTED, str(error)) from error


class ReplicaWay(LocalChannel):
    """The way to a replica that has caught up; Elsewhere for what it leaves to its peer."""

    def __init__(self, replica: Replica) -> None:
        registry = ServiceRegistry()
        registry.add("protos.Endorser", replica.endorser)
        super().__init__(registry)

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        try:
            return await super().unary(method, request, response_type, timeout=timeout)
        except RpcError as error:
            if error.code is Code.UNIMPLEMENTED:
                raise Elsewhere(error.message) from error
            raise
