"""Where load goes: a channel, its peers by organisation, an orderer, and who asks.

A target is plain data (paths and addresses), so that worker processes can be told of it; each
opens its own connections.  (Fabric: Caliper's network configuration file)
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridloom.common.msp_directory import load_signing_identity
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import RemoteChannel, grpc_channel

from .workload import Connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, slots=True)
class Address:
    """A node: its name, ``host:port``, PEM of the TLS roots ("" without TLS), the name in its
    certificate ("" for the host's)."""

    name: str
    target: str
    tls_roots: str = ""
    server_name: str = ""

    def connect(self) -> RemoteChannel:
        """Open a channel of its own."""
        if not self.tls_roots:
            return grpc_channel(self.target)
        tls = ClientTls(self.tls_roots.encode(), server_name=self.server_name or None)
        return grpc_channel(self.target, tls)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who asks: the MSP folder with certificate and key."""

    msp_id: str
    name: str
    msp: str


@dataclass(frozen=True, slots=True)
class Target:
    """A network as a benchmark sees it.

    peers: by MSP id, the first of each is its gateway; users: the first is the default;
    process_ids: of the nodes on this machine, by name, as far as known.
    """

    channel: str
    peers: Mapping[str, list[Address]]
    users: list[User]
    orderer: Address | None = None
    process_ids: Mapping[str, int] = field(default_factory=dict)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connections]:
        """Open a channel to each node; MspDirectoryError for credentials that will not do."""
        users = {
            (user.msp_id, user.name): load_signing_identity(Path(user.msp), user.msp_id)
            for user in self.users
        }
        peers = {
            msp_id: [address.connect() for address in addresses]
            for msp_id, addresses in self.peers.items()
        }
        orderer = None if self.orderer is None else self.orderer.connect()
        try:
            yield Connections(self.channel, peers, users, orderer)
        finally:
            for channels in peers.values():
                for channel in channels:
                    await channel.close()
            if orderer is not None:
                await orderer.close()

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Target:
        """Return the target of a document."""
        orderer = document["orderer"]
        return cls(
            channel=document["channel"],
            peers={
                msp_id: [Address(**address) for address in addresses]
                for msp_id, addresses in document["peers"].items()
            },
            users=[User(**user) for user in document["users"]],
            orderer=None if orderer is None else Address(**orderer),
            process_ids=document["process_ids"],
        )
