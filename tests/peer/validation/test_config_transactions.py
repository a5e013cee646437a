"""Config transactions: accepted ones bring the next configuration, others stop the channel."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_payload
from gridloom.peer.validation.block_validator import ValidationHalted
from gridloom.protos.common.common_pb2 import CONFIG, Envelope
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from harness.consortium import consortium
from harness.golden_channel import ordered_block
from harness.stage_a import StageA, names
from harness.transactions import Draft

UPDATE = 50  # the golden block with the config update


@pytest.fixture
def golden() -> StageA:
    stage_a = StageA(ChannelBundle.from_config_block(ordered_block(0)))
    stage_a.others["golden1"] = stage_a.bundle.msp_manager
    return stage_a


def config_draft(data: bytes) -> Draft:
    return Draft(creator=consortium().orderer(), header_type=CONFIG, data=data, tx_id="")


def golden_config() -> bytes:
    return open_payload(Envelope.FromString(ordered_block(UPDATE).data.data[0])).data


def test_an_accepted_update_is_the_configuration_from_then_on(golden):
    validated = golden.validate_block(ordered_block(UPDATE))
    assert names(validated.transactions) == ["VALID"]
    assert (golden.bundle.sequence, validated.bundle.sequence) == (0, 1)
    assert validated.transactions[0].config == ConfigEnvelope.FromString(golden_config())
    assert validated.transactions[0].config_bytes == golden_config()


def test_a_block_without_update_leaves_the_configuration_as_it_is(golden):
    assert golden.validate_block(ordered_block(1)).bundle is golden.bundle


def test_the_same_update_twice_stops_the_channel(golden):
    golden.bundle = golden.validate_block(ordered_block(UPDATE)).bundle
    golden.others["golden1"] = golden.bundle.msp_manager
    with pytest.raises(ValidationHalted, match="sequence"):
        golden.validate_block(ordered_block(UPDATE))


def test_a_config_that_does_not_parse_stops_the_channel():
    stage_a = StageA(consortium().bundle())
    with pytest.raises(ValidationHalted, match="ConfigEnvelope"):
        stage_a.validate(config_draft(b"\xff").envelope())


@pytest.mark.parametrize("what", ["last_update", "config"])
def test_a_config_that_its_update_does_not_make_stops_the_channel(what):
    config = ConfigEnvelope(last_update=Envelope(payload=b"x"))
    config.config.CopyFrom(consortium().bundle().config)
    config.config.sequence = 1
    config.ClearField(what)
    with pytest.raises(ValidationHalted) as halted:
        StageA(consortium().bundle()).validate(config_draft(config.SerializeToString()).envelope())
    assert (halted.value.channel_id, halted.value.index) == ("mychannel", 0)


def test_a_config_with_a_bad_signature_is_only_an_invalid_transaction():
    stage_a = StageA(consortium().bundle())
    draft = config_draft(golden_config())
    envelope = Envelope.FromString(draft.envelope())
    envelope.signature = consortium().orderer().sign(b"something else")
    assert stage_a.codes(envelope.SerializeToString()) == ["BAD_CREATOR_SIGNATURE"]
