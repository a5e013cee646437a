"""Builders of the configuration tree, as configtxgen writes it.

Rules are texts of the policy language or ``ANY|ALL|MAJORITY <name>``.  Every element's
mod_policy is Admins, but for the global orderer addresses, which the orderers' admins
guard.  (Fabric: internal/configtxgen/encoder.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from google.protobuf.message import Message

from gridloom.protos.common import configuration_pb2
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.msp.msp_config_pb2 import MSPConfig
from gridloom.protos.orderer import configuration_pb2 as orderer_pb2
from gridloom.protos.peer.configuration_pb2 import ACLs, AnchorPeers

from ..policies.language import PolicyLanguageError, parse_policy
from . import names
from .durations import render_duration
from .errors import ConfigError
from .sections import BatchSize

Rules = Mapping[str, str]

CHANNEL_RULES: Rules = {
    names.READERS: "ANY Readers",
    names.WRITERS: "ANY Writers",
    names.ADMINS: "MAJORITY Admins",
}
ORDERER_RULES: Rules = {**CHANNEL_RULES, names.BLOCK_VALIDATION: "ANY Writers"}
APPLICATION_RULES: Rules = {
    **CHANNEL_RULES,
    names.LIFECYCLE_ENDORSEMENT: "MAJORITY Endorsement",
    names.ENDORSEMENT: "MAJORITY Endorsement",
}
_WIDTH = 2**32 - 1


def application_org_rules(msp_id: str) -> Rules:
    """Return the rules of the samples: peers read and endorse, clients and admins write."""
    return {
        names.READERS: f"OR('{msp_id}.admin', '{msp_id}.peer', '{msp_id}.client')",
        names.WRITERS: f"OR('{msp_id}.admin', '{msp_id}.client')",
        names.ADMINS: f"OR('{msp_id}.admin')",
        names.ENDORSEMENT: f"OR('{msp_id}.peer')",
    }


def orderer_org_rules(msp_id: str) -> Rules:
    """Return the rules of the samples: every member reads and writes, admins change."""
    return {
        names.READERS: f"OR('{msp_id}.member')",
        names.WRITERS: f"OR('{msp_id}.member')",
        names.ADMINS: f"OR('{msp_id}.admin')",
    }


@dataclass(frozen=True, slots=True)
class Ordering:
    """How a channel is ordered; metadata: serialized, as the consensus type defines it."""

    consensus_type: str
    batch_size: BatchSize
    batch_timeout: timedelta
    metadata: bytes = b""
    max_channels: int = 0


def application_org_group(
    msp_config: MSPConfig, rules: Rules, anchor_peers: Sequence[tuple[str, int]] = ()
) -> ConfigGroup:
    """Build the group of an application organization; anchor_peers: (host, port)."""
    group = _group(rules)
    _add(group, names.MSP, msp_config)
    if anchor_peers:
        anchors = AnchorPeers()
        for host, port in anchor_peers:
            anchors.anchor_peers.add(host=host, port=port)
        _add(group, "AnchorPeers", anchors)
    return group


def orderer_org_group(
    msp_config: MSPConfig, rules: Rules, endpoints: Sequence[str] = ()
) -> ConfigGroup:
    """Build the group of an orderer organization; endpoints: host:port."""
    group = _group(rules)
    _add(group, names.MSP, msp_config)
    if endpoints:
        _add(group, "Endpoints", configuration_pb2.OrdererAddresses(addresses=endpoints))
    return group


def orderer_group(
    orgs: Mapping[str, ConfigGroup],
    ordering: Ordering,
    capabilities: Iterable[str],
    rules: Rules = ORDERER_RULES,
) -> ConfigGroup:
    """Build the Orderer group; orgs: group key -> group. ConfigError for a bad rule."""
    if names.BLOCK_VALIDATION not in rules:
        raise ConfigError("no BlockValidation policy defined")
    group = _group(rules)
    size = ordering.batch_size
    _add(
        group,
        "BatchSize",
        orderer_pb2.BatchSize(
            max_message_count=size.max_message_count,
            absolute_max_bytes=size.absolute_max_bytes,
            preferred_max_bytes=size.preferred_max_bytes,
        ),
    )
    timeout = render_duration(ordering.batch_timeout)
    _add(group, "BatchTimeout", orderer_pb2.BatchTimeout(timeout=timeout))
    restrictions = orderer_pb2.ChannelRestrictions(max_count=ordering.max_channels)
    _add(group, "ChannelRestrictions", restrictions)
    consensus = orderer_pb2.ConsensusType(type=ordering.consensus_type, metadata=ordering.metadata)
    _add(group, "ConsensusType", consensus)
    _add_capabilities(group, capabilities)
    _add_groups(group, orgs)
    return group


def application_group(
    orgs: Mapping[str, ConfigGroup],
    capabilities: Iterable[str],
    rules: Rules = APPLICATION_RULES,
    acls: Mapping[str, str] | None = None,
) -> ConfigGroup:
    """Build the Application group; acls: resource -> policy. ConfigError for a bad rule."""
    group = _group(rules)
    if acls:
        message = ACLs()
        for resource, policy in acls.items():
            message.acls[resource].policy_ref = policy
        _add(group, "ACLs", message)
    _add_capabilities(group, capabilities)
    _add_groups(group, orgs)
    return group


def channel_group(
    sections: Mapping[str, ConfigGroup],
    capabilities: Iterable[str],
    rules: Rules = CHANNEL_RULES,
    orderer_addresses: Sequence[str] = (),
    consortium: str = "",
) -> ConfigGroup:
    """Build the root; sections: Orderer and Application. ConfigError for a bad rule.

    orderer_addresses: global ones, which a V3_0 channel may not have.
    """
    group = _group(rules)
    _add(group, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    structure = configuration_pb2.BlockDataHashingStructure(width=_WIDTH)
    _add(group, "BlockDataHashingStructure", structure)
    if orderer_addresses:
        addresses = configuration_pb2.OrdererAddresses(addresses=orderer_addresses)
        _add(group, "OrdererAddresses", addresses, names.ORDERER_ADMINS_PATH)
    if consortium:
        _add(group, "Consortium", configuration_pb2.Consortium(name=consortium))
    _add_capabilities(group, capabilities)
    _add_groups(group, sections)
    return group


def _group(rules: Rules) -> ConfigGroup:
    group = ConfigGroup(mod_policy=names.ADMINS)
    for required in (names.ADMINS, names.READERS, names.WRITERS):
        if required not in rules:
            raise ConfigError(f"no {required} policy defined")
    for name, rule in rules.items():
        try:
            group.policies[name].policy.CopyFrom(parse_policy(rule))
        except PolicyLanguageError as error:
            raise ConfigError(f"policy {name}: {error}") from error
        group.policies[name].mod_policy = names.ADMINS
    return group


def _add(group: ConfigGroup, key: str, value: Message, mod_policy: str = names.ADMINS) -> None:
    group.values[key].value = value.SerializeToString(deterministic=True)
    group.values[key].mod_policy = mod_policy


def _add_capabilities(group: ConfigGroup, capabilities: Iterable[str]) -> None:
    message = configuration_pb2.Capabilities()
    for name in capabilities:
        message.capabilities[name].SetInParent()
    if message.capabilities:
        _add(group, names.CAPABILITIES, message)


def _add_groups(group: ConfigGroup, children: Mapping[str, ConfigGroup]) -> None:
    for name, child in children.items():
        group.groups[name].CopyFrom(child)
