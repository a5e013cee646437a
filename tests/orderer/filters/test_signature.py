"""Known writers are asked for their signature only, as long as they are writers."""

import os
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_envelope
from gridloom.common.policies.language import parse_policy
from gridloom.orderer.filters import standard_filters
from gridloom.orderer.filters.rejection import MessageRejected, PermissionDenied
from gridloom.orderer.filters.signature import SignatureFilter
from gridloom.orderer.message_processor import MessageProcessor
from gridloom.orderer.node import utc_now
from gridloom.protos.common import configtx_pb2
from gridloom.protos.common.common_pb2 import Envelope
from harness.ordering import CHANNEL, genesis, message, user


def bundle(writers: str | None = None) -> ChannelBundle:
    """The test network's channel; writers: a signature policy in place of its own."""
    found = ChannelBundle.from_config_block(genesis())
    config = configtx_pb2.Config()
    config.CopyFrom(found.config)
    if writers is not None:
        config.channel_group.policies["Writers"].policy.CopyFrom(parse_policy(writers))
    return ChannelBundle(CHANNEL, config)


def test_a_known_writer_is_still_asked_for_a_signature() -> None:
    judge = SignatureFilter(bundle())
    good = message(b"one")
    judge(open_envelope(good))
    stolen = Envelope(payload=message(b"two").payload, signature=good.signature)
    with pytest.raises(PermissionDenied, match="0 sub-policies were satisfied"):
        judge(open_envelope(stolen))
    with pytest.raises(PermissionDenied):
        judge(open_envelope(Envelope(payload=good.payload)))
    judge(open_envelope(message(b"three")))


def test_a_writer_is_one_under_the_configuration_that_says_so_and_no_other() -> None:
    before, after = bundle(), bundle("OR('Org2MSP.client')")
    in_force = [before]
    processor = MessageProcessor(
        lambda: in_force[0],
        partial(standard_filters, now=utc_now),
        never,
        signer=user(),
        now=utc_now,
        random_bytes=os.urandom,
    )
    by_org1, by_org2 = message(signer=user("Org1MSP")), message(signer=user("Org2MSP"))
    for each in (by_org1, by_org2):
        processor.process_normal(open_envelope(each))
    in_force[0] = after
    with pytest.raises(PermissionDenied):
        processor.process_normal(open_envelope(by_org1))
    processor.process_normal(open_envelope(by_org2))
    in_force[0] = before
    processor.process_normal(open_envelope(by_org1))


def never(_: Envelope) -> configtx_pb2.ConfigEnvelope:
    """Propose no update."""
    raise AssertionError


def test_whoever_needs_no_signature_needs_none_the_second_time_either() -> None:
    judge = SignatureFilter(bundle("OutOf(0, 'Org1MSP.client')"))
    unsigned = Envelope(payload=message().payload)
    for _ in range(2):
        judge(open_envelope(unsigned))


def test_a_known_writer_whose_time_is_over_is_refused() -> None:
    clock = [datetime.now(UTC)]
    filters = standard_filters(bundle(), lambda: clock[0])

    def judge(envelope: Envelope) -> None:
        for check in filters:
            check(open_envelope(envelope))

    judge(message(b"in time"))
    clock[0] += timedelta(days=365 * 20)
    with pytest.raises(MessageRejected, match="identity expired"):
        judge(message(b"too late"))
