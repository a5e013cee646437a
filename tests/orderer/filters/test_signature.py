"""Known writers are asked for their signature only, as long as they are writers."""

from datetime import UTC, datetime, timedelta

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_envelope
from gridloom.common.policies.language import parse_policy
from gridloom.orderer.filters import standard_filters
from gridloom.orderer.filters.rejection import MessageRejected, PermissionDenied
from gridloom.orderer.filters.signature import SignatureFilter
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
    current, judge = bundle(), SignatureFilter()
    good = message(b"one")
    judge(open_envelope(good), current)
    stolen = Envelope(payload=message(b"two").payload, signature=good.signature)
    with pytest.raises(PermissionDenied, match="0 sub-policies were satisfied"):
        judge(open_envelope(stolen), current)
    with pytest.raises(PermissionDenied):
        judge(open_envelope(Envelope(payload=good.payload)), current)
    judge(open_envelope(message(b"three")), current)


def test_a_writer_is_one_under_the_configuration_that_says_so_and_no_other() -> None:
    judge, before, after = SignatureFilter(), bundle(), bundle("OR('Org2MSP.client')")
    by_org1, by_org2 = message(signer=user("Org1MSP")), message(signer=user("Org2MSP"))
    for each in (by_org1, by_org2):
        judge(open_envelope(each), before)
    with pytest.raises(PermissionDenied):
        judge(open_envelope(by_org1), after)
    judge(open_envelope(by_org2), after)
    judge(open_envelope(by_org1), before)


def test_whoever_needs_no_signature_needs_none_the_second_time_either() -> None:
    anybody, judge = bundle("OutOf(0, 'Org1MSP.client')"), SignatureFilter()
    unsigned = Envelope(payload=message().payload)
    for _ in range(2):
        judge(open_envelope(unsigned), anybody)


def test_a_known_writer_whose_time_is_over_is_refused() -> None:
    clock = [datetime.now(UTC)]
    filters, current = standard_filters(lambda: clock[0]), bundle()

    def judge(envelope: Envelope) -> None:
        for check in filters:
            check(open_envelope(envelope), current)

    judge(message(b"in time"))
    clock[0] += timedelta(days=365 * 20)
    with pytest.raises(MessageRejected, match="identity expired"):
        judge(message(b"too late"))
