"""Maintenance mode: which configurations may follow which."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.update import compute_update
from gridloom.orderer.filters.maintenance import check_transition, in_maintenance
from gridloom.orderer.filters.rejection import MessageRejected
from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigUpdateEnvelope
from gridloom.protos.orderer.configuration_pb2 import BatchTimeout, ConsensusType
from harness.ordering import CHANNEL, genesis

NORMAL, MAINTENANCE = ConsensusType.STATE_NORMAL, ConsensusType.STATE_MAINTENANCE


def bundle(
    state: int = NORMAL,
    consensus: str = "solo",
    metadata: bytes = b"",
    *,
    capability: str = "V2_0",
    timeout: str = "2s",
) -> ChannelBundle:
    config = Config()
    config.CopyFrom(ChannelBundle.from_config_block(genesis()).config)
    group = config.channel_group.groups["Orderer"]
    value = ConsensusType(type=consensus, metadata=metadata, state=state)
    group.values["ConsensusType"].value = value.SerializeToString()
    group.values["BatchTimeout"].value = BatchTimeout(timeout=timeout).SerializeToString()
    if capability != "V2_0":
        capabilities = group.values["Capabilities"]
        capabilities.value = capabilities.value.replace(b"V2_0", capability.encode())
    return ChannelBundle(CHANNEL, config)


def transition(current: ChannelBundle, successor: ChannelBundle) -> ConfigEnvelope:
    update = compute_update(CHANNEL, current.config, successor.config)
    data = ConfigUpdateEnvelope(config_update=update.SerializeToString()).SerializeToString()
    payload = common_pb2.Payload(header=common_pb2.Header(channel_header=b""), data=data)
    return ConfigEnvelope(
        config=successor.config,
        last_update=common_pb2.Envelope(payload=payload.SerializeToString()),
    )


@pytest.mark.parametrize(
    ("current", "successor"),
    [
        (bundle(), bundle(timeout="9s")),
        (bundle(), bundle(MAINTENANCE)),
        (bundle(MAINTENANCE), bundle()),
        (bundle(MAINTENANCE), bundle(MAINTENANCE, metadata=b"m")),
        (bundle(MAINTENANCE), bundle(MAINTENANCE, "BFT", b"m")),
        (bundle(MAINTENANCE), bundle(MAINTENANCE, timeout="9s")),
    ],
)
def test_allowed_transitions(current, successor) -> None:
    check_transition(current, transition(current, successor))


@pytest.mark.parametrize(
    ("current", "successor", "reason"),
    [
        (bundle(), bundle(consensus="BFT"), "current config ConsensusType.State is not in"),
        (bundle(), bundle(MAINTENANCE, timeout="9s"), "ConsensusType value of the Orderer group"),
        (bundle(MAINTENANCE), bundle(timeout="9s"), "ConsensusType value of the Orderer group"),
        (bundle(), bundle(MAINTENANCE, "BFT"), "State is changing at the same time"),
        (bundle(MAINTENANCE), bundle(NORMAL, "BFT"), "State is changing at the same time"),
        (bundle(), bundle(MAINTENANCE, metadata=b"m"), "change ConsensusType.Metadata"),
        (bundle(MAINTENANCE), bundle(MAINTENANCE, "etcdraft"), "transition not supported"),
        (
            bundle(capability="V1_1"),
            bundle(MAINTENANCE, capability="V1_1"),
            "ConsensusType.State to STATE_MAINTENANCE, but capability is disabled",
        ),
        (
            bundle(capability="V1_1"),
            bundle(consensus="BFT", capability="V1_1"),
            "from solo to BFT, but capability is disabled",
        ),
    ],
)
def test_forbidden_transitions(current, successor, reason) -> None:
    with pytest.raises(MessageRejected, match=reason):
        check_transition(current, transition(current, successor))


def test_a_configuration_that_is_none_is_rejected() -> None:
    with pytest.raises(MessageRejected, match="failed to parse config"):
        check_transition(bundle(), ConfigEnvelope())


def test_the_mode_counts_only_with_the_capability() -> None:
    assert in_maintenance(bundle(MAINTENANCE))
    assert not in_maintenance(bundle(NORMAL))
    assert not in_maintenance(bundle(MAINTENANCE, capability="V1_1"))
