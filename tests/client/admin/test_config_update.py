"""Config updates as files that go from one administrator to the next."""

import pytest

from gridloom.client.admin.config_update import (
    UpdateSigner,
    UpdateUnsigned,
    channel_of,
    check_signatures,
    make_update,
    signers_of,
)
from gridloom.common.channel import changes
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError, UpdateRejected
from gridloom.common.channel.update_validation import open_config_update
from gridloom.common.envelopes import open_envelope
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.common.configtx_pb2 import Config, ConfigUpdateEnvelope
from harness import golden_config
from harness.ordering import CHANNEL, genesis, message, user
from harness.shared import shared


def admin(organization: str) -> UpdateSigner:
    return UpdateSigner(user(organization, "Admin"))


@pytest.fixture(scope="module")
def bundle() -> ChannelBundle:
    return ChannelBundle.from_config_block(genesis())


@pytest.fixture
def envelope(bundle) -> Envelope:
    """Both organizations have to sign this one."""
    acls = changes.set_acls(bundle.config, {"peer/Propose": "Admins"})
    return make_update(CHANNEL, bundle.config, acls)


def test_an_unsigned_update_is_wrapped_as_recorded():
    folder = shared("golden", "config")
    stages = [
        Config.FromString((folder / f"{name}.pb").read_bytes())
        for name in ("config", "modified_config")
    ]
    wrapped = make_update(golden_config.CHANNEL_ID, *stages)
    assert wrapped.SerializeToString() == (folder / "config_update_in_envelope.pb").read_bytes()


def test_signatures_come_one_after_the_other_over_the_same_update(bundle, envelope):
    first = admin("Org1MSP").sign(envelope)
    second = admin("Org2MSP").sign(first)
    assert signers_of(first) == ["Org1MSP"]
    assert signers_of(second) == ["Org1MSP", "Org2MSP"]
    assert signers_of(envelope) == []
    before, after = open_config_update(envelope), open_config_update(second)
    assert after.config_update == before.config_update
    assert open_envelope(second).signed_data.identity == user("Org2MSP", "Admin").serialized
    assert channel_of(second) == CHANNEL
    check_signatures(second, bundle)


def test_too_few_signatures_are_explained(bundle, envelope):
    with pytest.raises(UpdateUnsigned) as caught:
        check_signatures(admin("Org1MSP").sign(envelope), bundle)
    assert caught.value.who == ("Org1MSP",)
    text = str(caught.value)
    assert "1 sub-policies were satisfied, but this policy requires 2 of the 'Admins'" in text
    assert "Org2MSP" in text
    assert "signed so far by: Org1MSP" in text
    assert isinstance(caught.value.__cause__.__cause__, PolicyNotSatisfied)


def test_the_same_signature_twice_counts_once(bundle, envelope):
    twice = admin("Org1MSP").sign(admin("Org1MSP").sign(envelope))
    with pytest.raises(UpdateUnsigned):
        check_signatures(twice, bundle)


def test_an_outdated_update_is_rejected_whoever_signed(bundle, envelope):
    signed = admin("Org2MSP").sign(admin("Org1MSP").sign(envelope))
    later = ChannelBundle(CHANNEL, bundle.propose_update(signed).config)
    with pytest.raises(UpdateRejected) as caught:
        check_signatures(signed, later)
    assert not isinstance(caught.value, UpdateUnsigned)


def test_a_change_that_breaks_a_rule_is_refused_before_anybody_signs(bundle):
    broken = changes.set_batch(bundle.config, changes.BatchChange(preferred_max_bytes=2**31))
    with pytest.raises(ConfigError, match="greater than the absolute max bytes"):
        make_update(CHANNEL, bundle.config, broken)


def test_no_change_is_no_update(bundle):
    with pytest.raises(ConfigError, match="no differences"):
        make_update(CHANNEL, bundle.config, bundle.config)


@pytest.mark.parametrize(
    "data",
    [Envelope(), Envelope(payload=b"\xff"), message(b"not an update")],
    ids=["empty", "garbage", "another"],
)
def test_what_is_no_update_is_not_signed(data):
    with pytest.raises(UpdateRejected):
        admin("Org1MSP").sign(data)


def test_a_signature_without_a_header_is_refused(envelope):
    update = ConfigUpdateEnvelope()
    update.CopyFrom(open_config_update(envelope))
    update.signatures.add(signature_header=b"\xff")
    odd = message(update.SerializeToString(), header_type=2)
    with pytest.raises(UpdateRejected):
        signers_of(odd)
