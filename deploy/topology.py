"""The network description: which organizations, nodes, users and channels there are.

`Topology.default()` is fabric-samples' test network: Org1MSP and Org2MSP with one peer
each (7051, 9051), OrdererMSP with one solo orderer (7050), channel ``mychannel``, TLS,
MAJORITY Endorsement.  `Topology.parse` reads the same from YAML, in which everything left
out takes these defaults; `topology_document.py` says how.
(Fabric: crypto-config.yaml and configtx.yaml in one readable document.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from gridloom.common.poca import CONSENSUS_TYPE as POCA
from gridloom.orderer.etcdraft.metadata import CONSENSUS_TYPE as ETCDRAFT
from gridloom.orderer.etcdraft.metadata import Options
from gridloom.peer.ledger.state_database import StateDatabase

from .poca import PocaOptions

DEFAULT_PORT_BASE = 7050
DEFAULT_HOST = "127.0.0.1"
ADMIN_USER = "Admin"
DEFAULT_RAFT = Options(tick_interval=timedelta(milliseconds=50))
"""A leader that falls is replaced within a second or two; Fabric's samples take ten times that."""
DEFAULT_POCA = PocaOptions()


class Cutting(StrEnum):
    """When the orderer closes a block: at once when idle, by Fabric's timeout, on demand."""

    IDLE = "idle"
    TIMEOUT = "timeout"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class User:
    """A person or program with a certificate; role: client or admin (the NodeOU)."""

    name: str
    role: str = "client"
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PeerNode:
    """One peer; name is the full one (peer0.org1.example.com), port 0 = any free port."""

    name: str
    host: str
    port: int
    anchor: bool = False

    @property
    def endpoint(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class OrdererNode:
    """One orderer; name is the full one (orderer.example.com), port 0 = any free port.

    admin_port: where it takes administrators' orders over HTTP; cluster_port: where it hears the
    other orderers, if there are any.
    """

    name: str
    host: str
    port: int
    admin_port: int = 0
    cluster_port: int = 0

    @property
    def endpoint(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"

    @property
    def admin_endpoint(self) -> str:
        """Return host:port of the admin port."""
        return f"{self.host}:{self.admin_port}"

    @property
    def cluster_endpoint(self) -> str:
        """Return host:port of the cluster port."""
        return f"{self.host}:{self.cluster_port}"


@dataclass(frozen=True, slots=True)
class AuthorityNode:
    """One organization's CA server.

    name: of the CA (ca-org1); port 0 = any free port; fixed: no other one will do instead.
    """

    name: str
    host: str
    port: int
    fixed: bool = False

    @property
    def endpoint(self) -> str:
        """Return host:port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization with peers.

    name: how people call it (Org1); msp_id: Org1MSP; group: its key in the channel
    configuration; users: Admin first; policies: name -> rule, over the defaults.
    """

    name: str
    msp_id: str
    group: str
    domain: str
    authority: AuthorityNode
    peers: tuple[PeerNode, ...]
    users: tuple[User, ...]
    policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrdererOrganization:
    """An organization with orderers; the fields as in `Organization`."""

    name: str
    msp_id: str
    group: str
    domain: str
    authority: AuthorityNode
    orderers: tuple[OrdererNode, ...]
    users: tuple[User, ...]
    policies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """When a block is full (sizes in bytes) or old enough; test-network's values."""

    max_message_count: int = 10
    absolute_max_bytes: int = 99 * 1024**2
    preferred_max_bytes: int = 512 * 1024
    timeout: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capability name of each level of the channel configuration."""

    channel: str = "V2_0"
    orderer: str = "V2_0"
    application: str = "V2_5"


@dataclass(frozen=True, slots=True)
class ChannelPolicies:
    """Policy name -> rule for the groups Channel, Application and Orderer, over the defaults."""

    channel: Mapping[str, str] = field(default_factory=dict)
    application: Mapping[str, str] = field(default_factory=dict)
    orderer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """One channel.

    members: names of organizations; orderers: full names of the orderer nodes that serve
    it (solo: exactly one; raft and poca: any number); endorsement: the policy of chaincodes that
    state none.
    """

    name: str
    members: tuple[str, ...]
    orderers: tuple[str, ...]
    batch: Batch = Batch()
    capabilities: Capabilities = Capabilities()
    endorsement: str = "MAJORITY Endorsement"
    policies: ChannelPolicies = ChannelPolicies()
    acls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole network; names and ports are unique, every reference resolves.

    consensus: solo, etcdraft or poca; raft: how the second runs; poca: credits and difficulty of
    the last.
    state_database: by whose rules all peers keep their states; ledger_url: a database in
    which peers keep their ledgers, each in schemas of its own, "" for files.
    """

    organizations: tuple[Organization, ...]
    orderer_organizations: tuple[OrdererOrganization, ...]
    channels: tuple[ChannelSpec, ...]
    consensus: str = "solo"
    tls: bool = True
    cutting: Cutting = Cutting.IDLE
    state_database: StateDatabase = StateDatabase.LEVELDB
    ledger_url: str = field(default="", repr=False)
    raft: Options = DEFAULT_RAFT
    poca: PocaOptions = DEFAULT_POCA

    @property
    def clustered(self) -> bool:
        """Return whether orderers hear each other on ports of their own."""
        return self.consensus == ETCDRAFT

    @property
    def replaces_orderers(self) -> bool:
        """Return whether the network goes on while an orderer is started again."""
        return self.consensus in (ETCDRAFT, POCA)

    @staticmethod
    def default() -> Topology:
        """Return the test network."""
        return Topology.parse("")

    @staticmethod
    def parse(text: str | bytes) -> Topology:
        """Read a YAML network description; DocumentError names the path of the first fault."""
        # The reader builds the classes above, hence the import from inside.
        from .topology_document import read_topology  # noqa: PLC0415

        return read_topology(text)

    @staticmethod
    def load(path: Path) -> Topology:
        """Read a YAML file; DocumentError, or OSError when it cannot be read."""
        return Topology.parse(path.read_bytes())

    def organization(self, name: str) -> Organization:
        """Return the peer organization with this name, MSP id or group key; KeyError."""
        for org in self.organizations:
            if name in (org.name, org.msp_id, org.group):
                return org
        raise KeyError(name)

    def channel(self, name: str) -> ChannelSpec:
        """Return the channel with this name; KeyError."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise KeyError(name)

    def members(self, channel: ChannelSpec) -> tuple[Organization, ...]:
        """Return the member organizations of a channel, in the order of the channel."""
        return tuple(self.organization(name) for name in channel.members)

    def with_channels(self, channels: Iterable[ChannelSpec]) -> Topology:
        """Return the same network with these channels.

        New ones come after those there are; one that is there gets the members and orderers.
        """
        changed = {channel.name: channel for channel in self.channels}
        for channel in channels:
            known = changed.get(channel.name, channel)
            changed[channel.name] = replace(
                known, members=channel.members, orderers=channel.orderers
            )
        return replace(self, channels=tuple(changed.values()))

    def orderers(self) -> tuple[OrdererNode, ...]:
        """Return every orderer node."""
        return tuple(node for org in self.orderer_organizations for node in org.orderers)

    def peers(self) -> tuple[PeerNode, ...]:
        """Return every peer node."""
        return tuple(node for org in self.organizations for node in org.peers)

    def nodes(self) -> tuple[OrdererNode | PeerNode, ...]:
        """Return every node: orderers, then peers."""
        return (*self.orderers(), *self.peers())

    def every_organization(self) -> tuple[OrdererOrganization | Organization, ...]:
        """Return every organization: those of orderers, then those of peers."""
        return (*self.orderer_organizations, *self.organizations)

    def authorities(self) -> tuple[AuthorityNode, ...]:
        """Return the CA server of every organization."""
        return tuple(org.authority for org in self.every_organization())

    def ports(self) -> tuple[int, ...]:
        """Return every port: of nodes, orderers' admin and cluster ports, then of CA servers."""
        nodes = (node.port for node in self.nodes())
        admin = (node.admin_port for node in self.orderers())
        cluster = (node.cluster_port for node in self.orderers() if self.clustered)
        return (*nodes, *admin, *cluster, *(node.port for node in self.authorities()))

    def with_ports(self, change: Callable[[int], int]) -> Topology:
        """Return the same network with change(port) for each port, in the order of `ports`."""
        changed = iter([change(port) for port in self.ports()])
        orderer_orgs = [
            replace(org, orderers=tuple(replace(n, port=next(changed)) for n in org.orderers))
            for org in self.orderer_organizations
        ]
        orgs = [
            replace(org, peers=tuple(replace(n, port=next(changed)) for n in org.peers))
            for org in self.organizations
        ]
        administered = [
            replace(org, orderers=tuple(replace(n, admin_port=next(changed)) for n in org.orderers))
            for org in orderer_orgs
        ]
        if self.clustered:
            administered = [
                replace(
                    org,
                    orderers=tuple(replace(n, cluster_port=next(changed)) for n in org.orderers),
                )
                for org in administered
            ]
        return replace(
            self,
            orderer_organizations=tuple(
                _with_authority(org, next(changed)) for org in administered
            ),
            organizations=tuple(_with_authority(org, next(changed)) for org in orgs),
        )

    def shifted(self, port_base: int) -> Topology:
        """Return the same network with all ports moved so that 7050 becomes port_base.

        Port 0 (any free port) stays; ValueError when a port would leave 1..65535.
        """

        def moved(port: int) -> int:
            target = port + port_base - DEFAULT_PORT_BASE if port else 0
            if port and not 0 < target < 2**16:
                raise ValueError(f"port base {port_base} moves port {port} to {target}")
            return target

        return self.with_ports(moved)


OrganizationKind = TypeVar("OrganizationKind", Organization, OrdererOrganization)


def _with_authority(org: OrganizationKind, port: int) -> OrganizationKind:
    """Return an organization whose CA server has another port."""
    return replace(org, authority=replace(org.authority, port=port))
