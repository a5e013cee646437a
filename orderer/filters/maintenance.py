"""Maintenance mode, in which a channel's consensus type can change and nothing else happens.

(Fabric: orderer/common/msgprocessor/maintenancefilter.go.)
"""

from __future__ import annotations

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.envelopes import open_payload
from gridloom.common.wire import parse
from gridloom.protos.common import configtx_pb2
from gridloom.protos.orderer.configuration_pb2 import ConsensusType

from .rejection import MessageRejected

MIGRATION = "V1_4_2"
"""The orderer capability from which on a consensus type can be migrated."""

MIGRATION_TARGETS = frozenset({"BFT"})
"""The consensus types that a channel may change to."""


def in_maintenance(bundle: ChannelBundle) -> bool:
    """Whether the channel is in maintenance mode."""
    return (
        bundle.capabilities.orderer.supports(MIGRATION)
        and bundle.orderer.state == ConsensusType.STATE_MAINTENANCE
    )


def check_transition(bundle: ChannelBundle, config: configtx_pb2.ConfigEnvelope) -> None:
    """Raise MessageRejected when a new configuration breaks a rule of migration.

    Maintenance mode is entered and left by a change of the state alone; the consensus type
    changes only within it, and only to one of MIGRATION_TARGETS.
    """
    try:
        successor = ChannelBundle(bundle.channel_id, config.config).orderer
    except ConfigError as error:
        raise MessageRejected(f"failed to parse config: {error}") from error
    current = bundle.orderer
    if not bundle.capabilities.orderer.supports(MIGRATION):
        _check_unchanged(current, successor)
        return
    if current.state != successor.state:
        _check_state_only(config)
        if current.consensus_type != successor.consensus_type:
            raise _changed(current, successor, "ConsensusType.State is changing at the same time")
        if current.metadata != successor.metadata:
            raise MessageRejected(
                "attempted to change ConsensusType.Metadata, but ConsensusType.State is changing"
                f" from {_state(current)} to {_state(successor)}"
            )
    if current.consensus_type != successor.consensus_type:
        _check_type_change(current, successor)


def _check_unchanged(current: OrdererConfig, successor: OrdererConfig) -> None:
    if successor.state != ConsensusType.STATE_NORMAL:
        raise MessageRejected(
            f"next config attempted to change ConsensusType.State to {_state(successor)}, "
            "but capability is disabled"
        )
    if current.consensus_type != successor.consensus_type:
        raise _changed(current, successor, "capability is disabled")


def _check_type_change(current: OrdererConfig, successor: OrdererConfig) -> None:
    if current.state == ConsensusType.STATE_NORMAL:
        reason = "current config ConsensusType.State is not in maintenance mode"
        raise _changed(current, successor, reason)
    if successor.state == ConsensusType.STATE_NORMAL:
        reason = "next config ConsensusType.State is not in maintenance mode"
        raise _changed(current, successor, reason)
    if successor.consensus_type not in MIGRATION_TARGETS:
        raise _changed(current, successor, "transition not supported")


def _check_state_only(config: configtx_pb2.ConfigEnvelope) -> None:
    """The update may write /Channel/Orderer/ConsensusType and nothing else."""
    payload = open_payload(config.last_update)
    envelope = parse(configtx_pb2.ConfigUpdateEnvelope, payload.data, "config update envelope")
    update = parse(configtx_pb2.ConfigUpdate, envelope.config_update, "config update")
    written = update.write_set
    if not written.groups:
        raise MessageRejected("config update contains no changes")
    if written.values:
        raise MessageRejected("config update contains changes to values in group Channel")
    if len(written.groups) > 1:
        raise MessageRejected("config update contains changes to more than one group")
    if "Orderer" not in written.groups:
        raise MessageRejected("update does not contain the Orderer group")
    orderer = written.groups["Orderer"]
    if orderer.groups:
        raise MessageRejected("config update contains changes to groups within the Orderer group")
    if set(orderer.values) != {"ConsensusType"}:
        raise MessageRejected(
            "config update must contain the ConsensusType value of the Orderer group and no other"
        )


def _changed(current: OrdererConfig, successor: OrdererConfig, reason: str) -> MessageRejected:
    return MessageRejected(
        f"attempted to change consensus type from {current.consensus_type} "
        f"to {successor.consensus_type}, but {reason}"
    )


def _state(config: OrdererConfig) -> str:
    names = {number: name for name, number in ConsensusType.State.items()}
    return names.get(ConsensusType.State.ValueType(config.state), str(config.state))
