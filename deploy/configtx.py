"""From the network description to a channel's configuration and its genesis block.

(Fabric: configtxgen over configtx.yaml; the samples' policies are the defaults.)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from gridloom.common.channel import groups, names
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.genesis import genesis_block
from gridloom.common.channel.sections import BatchSize
from gridloom.common.poca import CONSENSUS_TYPE as POCA
from gridloom.orderer.etcdraft.metadata import Consenter, RaftConfig, write_config
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.msp.msp_config_pb2 import MSPConfig

from .poca import poca_metadata
from .topology import ChannelSpec, OrdererNode, Organization, PeerNode, Topology

N = TypeVar("N", PeerNode, OrdererNode)
MspConfigs = Callable[[str], MSPConfig]


class Credentials(Protocol):
    """What consenters show, by a node's full name; ``Material`` is one."""

    def tls_certificate(self, name: str) -> bytes:
        """Return PEM of its TLS certificate: raft knows consenters by it."""
        ...

    def identity(self, name: str) -> bytes:
        """Return its serialized identity: poca knows consenters by it."""
        ...


def channel_genesis_block(  # noqa: PLR0917 - as channel_group, then time and chance
    topology: Topology,
    channel: ChannelSpec,
    msp_config: MspConfigs,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
    credentials: Credentials | None = None,
) -> Block:
    """Return the first block of a channel; ConfigError as `channel_group`."""
    group = channel_group(topology, channel, msp_config, credentials)
    return genesis_block(channel.name, group, now, random_bytes)


def channel_group(
    topology: Topology,
    channel: ChannelSpec,
    msp_config: MspConfigs,
    credentials: Credentials | None = None,
) -> ConfigGroup:
    """Return the configuration tree of a channel.

    msp_config: MSP id -> the verifying MSP, such as `Material.msp_config`; credentials: of the
    consenters, where there are several.  ConfigError for a rule that is no policy, or a node
    whose port is still open (0), because the tree names the endpoints.
    """
    capabilities = channel.capabilities
    endpoints = [_endpoint(node) for node in topology.orderers() if node.name in channel.orderers]
    sections = {
        names.ORDERER: _orderer_group(
            topology, channel, msp_config, _consensus_metadata(topology, channel, credentials)
        ),
        names.APPLICATION: _application_group(topology, channel, msp_config),
    }
    return groups.channel_group(
        sections,
        [capabilities.channel],
        {**groups.CHANNEL_RULES, **channel.policies.channel},
        # From V3_0 on only the organizations' own endpoints are allowed.
        [] if capabilities.channel == "V3_0" else endpoints,
    )


def _consensus_metadata(
    topology: Topology, channel: ChannelSpec, credentials: Credentials | None
) -> bytes:
    """Return what the consensus type wants to know: of raft and poca, the consenters."""
    if credentials is None:
        return b""
    serving = [node for node in topology.orderers() if node.name in channel.orderers]
    if topology.consensus == POCA:
        bound = [_bound(node) for node in serving]
        return poca_metadata(topology.poca, bound, credentials.identity)
    if not topology.clustered:
        return b""
    consenters = (consenter(node, credentials.tls_certificate(node.name)) for node in serving)
    return write_config(RaftConfig(tuple(consenters), topology.raft))


def consenter(node: OrdererNode, certificate: bytes) -> Consenter:
    """Return an orderer as raft's configuration names it; ConfigError without a port."""
    if not node.cluster_port:
        raise ConfigError(f"the cluster port of {node.name} is not chosen yet")
    return Consenter(node.host, node.cluster_port, certificate, certificate)


def _orderer_group(
    topology: Topology, channel: ChannelSpec, msp_config: MspConfigs, metadata: bytes
) -> ConfigGroup:
    orgs = {}
    for org in topology.orderer_organizations:
        serving = [node for node in org.orderers if node.name in channel.orderers]
        if serving:
            orgs[org.group] = groups.orderer_org_group(
                msp_config(org.msp_id),
                {**groups.orderer_org_rules(org.msp_id), **org.policies},
                [_endpoint(node) for node in serving],
            )
    batch = channel.batch
    size = BatchSize(batch.max_message_count, batch.absolute_max_bytes, batch.preferred_max_bytes)
    return groups.orderer_group(
        orgs,
        groups.Ordering(topology.consensus, size, batch.timeout, metadata),
        [channel.capabilities.orderer],
        {**groups.ORDERER_RULES, **channel.policies.orderer},
    )


def _application_group(
    topology: Topology, channel: ChannelSpec, msp_config: MspConfigs
) -> ConfigGroup:
    orgs = {
        org.group: organization_group(org, msp_config(org.msp_id))
        for org in topology.members(channel)
    }
    endorsement = {names.ENDORSEMENT: channel.endorsement}
    return groups.application_group(
        orgs,
        [channel.capabilities.application],
        {**groups.APPLICATION_RULES, **endorsement, **channel.policies.application},
        channel.acls,
    )


def organization_group(org: Organization, msp_config: MSPConfig) -> ConfigGroup:
    """Return the group of a member organization (configtxgen -printOrg); ConfigError."""
    return groups.application_org_group(
        msp_config,
        {**groups.application_org_rules(org.msp_id), **org.policies},
        [(_bound(peer).host, peer.port) for peer in org.peers if peer.anchor],
    )


def _endpoint(node: OrdererNode) -> str:
    return _bound(node).endpoint


def _bound(node: N) -> N:
    if not node.port:
        raise ConfigError(f"the port of {node.name} is not chosen yet")
    return node
