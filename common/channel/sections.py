"""The Orderer and Application sections of a channel configuration, read and checked.

(Fabric: common/channelconfig/{orderer,application,acls}.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.common.configuration_pb2 import Capabilities as CapabilitiesMessage
from gridloom.protos.common.configuration_pb2 import Consenter, Orderers
from gridloom.protos.orderer import configuration_pb2 as orderer_pb2
from gridloom.protos.peer.configuration_pb2 import ACLs

from . import names
from .capabilities import ChannelCapabilities
from .durations import InvalidDuration, duration_nanoseconds, parse_duration
from .errors import ConfigError
from .organizations import MspRegistry, OrdererOrgConfig, OrgConfig, application_org, orderer_org
from .values import GroupValues

_ORDERER_VALUES = {
    "ConsensusType": orderer_pb2.ConsensusType,
    "BatchSize": orderer_pb2.BatchSize,
    "BatchTimeout": orderer_pb2.BatchTimeout,
    "KafkaBrokers": orderer_pb2.KafkaBrokers,
    "ChannelRestrictions": orderer_pb2.ChannelRestrictions,
    "Orderers": Orderers,
    names.CAPABILITIES: CapabilitiesMessage,
}


@dataclass(frozen=True, slots=True)
class BatchSize:
    """When a block is full: messages, and bytes that are allowed and preferred."""

    max_message_count: int
    absolute_max_bytes: int
    preferred_max_bytes: int


@dataclass(frozen=True, slots=True)
class OrdererConfig:
    """The Orderer section; metadata, state: of the consensus type; consenters: BFT only.

    addresses: the channel's global orderer addresses; orgs: by MSP id; max_channels: 0
    when there is no limit.
    """

    batch_size: BatchSize
    batch_timeout: timedelta
    consensus_type: str
    metadata: bytes
    state: int
    max_channels: int
    addresses: tuple[str, ...]
    consenters: tuple[Consenter, ...]
    orgs: Mapping[str, OrdererOrgConfig]


@dataclass(frozen=True, slots=True)
class ApplicationConfig:
    """The Application section; orgs: by MSP id; acls: resource -> absolute policy path."""

    orgs: Mapping[str, OrgConfig]
    acls: Mapping[str, str]


def read_orderer(
    group: ConfigGroup,
    addresses: tuple[str, ...],
    msps: MspRegistry,
    capabilities: ChannelCapabilities,
) -> OrdererConfig:
    """Read the Orderer group; ConfigError for whatever breaks a rule."""
    values = GroupValues(group, _ORDERER_VALUES)
    batch_size = _batch_size(values.get("BatchSize", orderer_pb2.BatchSize))
    timeout = _batch_timeout(values.get("BatchTimeout", orderer_pb2.BatchTimeout).timeout)
    orgs = [
        orderer_org(name, org, msps, capabilities) for name, org in sorted(group.groups.items())
    ]
    missing = [org.group_name for org in orgs if not org.endpoints]
    if capabilities.bft and missing:
        raise ConfigError(f"some orderer organizations endpoints are empty: {missing}")
    consensus = values.get("ConsensusType", orderer_pb2.ConsensusType)
    restrictions = values.get("ChannelRestrictions", orderer_pb2.ChannelRestrictions)
    return OrdererConfig(
        batch_size=batch_size,
        batch_timeout=timeout,
        consensus_type=consensus.type,
        metadata=consensus.metadata,
        state=consensus.state,
        max_channels=restrictions.max_count,
        addresses=addresses,
        consenters=tuple(values.get("Orderers", Orderers).consenter_mapping),
        orgs={org.msp_id: org for org in orgs},
    )


def read_application(group: ConfigGroup, msps: MspRegistry) -> ApplicationConfig:
    """Read the Application group; ConfigError for whatever breaks a rule.

    A policy named relatively for a resource is meant below /Channel/Application; an empty
    name is no entry.
    """
    values = GroupValues(group, {"ACLs": ACLs, names.CAPABILITIES: CapabilitiesMessage})
    orgs = [application_org(name, org, msps) for name, org in sorted(group.groups.items())]
    prefix = f"/{names.CHANNEL}/{names.APPLICATION}/"
    acls = {
        resource: entry.policy_ref if entry.policy_ref[0] == "/" else prefix + entry.policy_ref
        for resource, entry in sorted(values.get("ACLs", ACLs).acls.items())
        if entry.policy_ref
    }
    return ApplicationConfig({org.msp_id: org for org in orgs}, acls)


def _batch_size(message: orderer_pb2.BatchSize) -> BatchSize:
    found = BatchSize(
        message.max_message_count, message.absolute_max_bytes, message.preferred_max_bytes
    )
    named = {
        "max message count": found.max_message_count,
        "absolute max bytes": found.absolute_max_bytes,
        "preferred max bytes": found.preferred_max_bytes,
    }
    for name, value in named.items():
        if value == 0:
            raise ConfigError(f"Attempted to set the batch size {name} to an invalid value: 0")
    if found.preferred_max_bytes > found.absolute_max_bytes:
        raise ConfigError(
            f"Attempted to set the batch size preferred max bytes ({found.preferred_max_bytes}) "
            f"greater than the absolute max bytes ({found.absolute_max_bytes})."
        )
    return found


def _batch_timeout(text: str) -> timedelta:
    try:
        nanoseconds = duration_nanoseconds(text)
        timeout = parse_duration(text)
    except InvalidDuration as error:
        raise ConfigError(
            f"Attempted to set the batch timeout to a invalid value: {error}"
        ) from error
    if nanoseconds <= 0:
        raise ConfigError(f"Attempted to set the batch timeout to a non-positive value: {text}")
    return timeout
