"""Channel configurations, their updates, and policies, as text and as messages."""

from __future__ import annotations

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.durations import parse_duration
from gridloom.common.channel.update import compute_update
from gridloom.common.policies import language
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.inquire import principal_sets
from gridloom.common.policies.policy import SignedData
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, policies_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigUpdateEnvelope
from harness import golden_config
from harness.crafted_chain import anybody_may_do_anything
from harness.fuzz import fuzz, fuzz_text

POLICIES = (
    "OR('Org1MSP.peer')",
    "AND('Org1MSP.member', OR('Org2MSP.admin', 'Org3MSP.client'), 'A.orderer')",
    "OutOf(2, 'Org1MSP.peer', 'Org2MSP.peer', OutOf(1, 'Org1MSP.member'))",
)


def changed(config: Config) -> Config:
    changed = Config()
    changed.CopyFrom(config)
    orderer = changed.channel_group.groups["Orderer"]
    orderer.values["BatchTimeout"].value = b"\x0a\x021s"
    del changed.channel_group.groups["Application"].groups["Org2MSP"].policies["Readers"]
    changed.channel_group.groups["Application"].groups["Org3MSP"].CopyFrom(
        changed.channel_group.groups["Application"].groups["Org2MSP"]
    )
    return changed


@pytest.fixture(scope="module")
def open_bundle() -> ChannelBundle:
    return ChannelBundle("golden1", anybody_may_do_anything(golden_config.genesis_config()))


def update_envelope(config_update: bytes) -> common_pb2.Envelope:
    data = ConfigUpdateEnvelope(config_update=config_update).SerializeToString()
    header = common_pb2.ChannelHeader(type=common_pb2.CONFIG_UPDATE, channel_id="golden1")
    payload = common_pb2.Payload(data=data)
    payload.header.channel_header = header.SerializeToString()
    return common_pb2.Envelope(payload=payload.SerializeToString())


def test_configurations():
    def read(data: bytes) -> None:
        ChannelBundle("golden1", parse(Config, data))

    fuzz(read, [golden_config.genesis_config().SerializeToString()])


def test_config_blocks():
    def read(data: bytes) -> None:
        ChannelBundle.from_config_block(parse(common_pb2.Block, data))

    fuzz(read, [golden_config.block(0).SerializeToString()])


def test_config_updates(open_bundle):
    update = compute_update("golden1", open_bundle.config, changed(open_bundle.config))

    def propose(data: bytes) -> None:
        open_bundle.propose_update(update_envelope(data))

    fuzz(propose, [update.SerializeToString()])


def test_signed_config_updates(open_bundle):
    envelopes = [
        golden_config.config_envelope(golden_config.UPDATE_BLOCK).last_update.SerializeToString(),
        update_envelope(b"").SerializeToString(),
    ]

    def propose(data: bytes) -> None:
        open_bundle.propose_update(parse(common_pb2.Envelope, data))

    fuzz(propose, envelopes)


def test_config_envelopes_that_a_peer_accepts(open_bundle):
    update = compute_update("golden1", open_bundle.config, changed(open_bundle.config))
    config = open_bundle.propose_update(update_envelope(update.SerializeToString()))

    def accept(data: bytes) -> None:
        open_bundle.accept(parse(ConfigEnvelope, data))

    fuzz(accept, [config.SerializeToString()])


def test_updates_between_any_two_configurations():
    config = golden_config.genesis_config()

    def compute(data: bytes) -> None:
        compute_update("golden1", config, parse(Config, data))

    fuzz(compute, [config.SerializeToString()])


def test_signature_policies():
    bundle = golden_config.genesis_bundle()
    signatures = [SignedData(b"data", b"nobody", b"signature")]

    def evaluate(data: bytes) -> None:
        envelope = parse(policies_pb2.SignaturePolicyEnvelope, data)
        compile_signature_policy(envelope, bundle.msp_manager).evaluate(signatures)

    fuzz(evaluate, [language.parse(text).SerializeToString() for text in POLICIES])


def test_combinations_that_satisfy_a_policy():
    def inquire(data: bytes) -> None:
        principal_sets(parse(policies_pb2.SignaturePolicyEnvelope, data))

    fuzz(inquire, [language.parse(text).SerializeToString() for text in POLICIES])


def test_policies_rendered_as_text():
    def render(data: bytes) -> None:
        language.render(parse(policies_pb2.SignaturePolicyEnvelope, data))

    fuzz(render, [language.parse(text).SerializeToString() for text in POLICIES])


def test_the_policy_language():
    words = ("AND", "OR", "OutOf", "Org1MSP", "member", "5", "-1", "99999999999999999999", "'", ".")
    fuzz_text(language.parse, POLICIES, words=words)
    fuzz_text(language.parse_policy, [*POLICIES, "MAJORITY Admins", "ANY Readers"], inputs=10_000)


def test_durations():
    fuzz_text(parse_duration, ["2s", "1h30m", "250ms", "1.5µs"], words=("ns", "h", "e9", "∞"))
