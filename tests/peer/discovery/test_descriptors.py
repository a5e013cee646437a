"""A remembered descriptor is the one that would be worked out now."""

from dataclasses import replace

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.peer.discovery import descriptors
from gridloom.peer.discovery.endorsement import describe_endorsers, interest_in
from gridloom.peer.discovery.interest_policies import NoEndorsers
from harness.gateway_parts import GatewayBench, definition

INTEREST = interest_in("basic")


class Counted:
    """The remembered descriptors, and how often one had to be worked out."""

    def __init__(self, bench, monkeypatch):
        self.bench = bench
        self.known = descriptors.EndorsementDescriptors()
        self.worked_out = 0

        def counting(*arguments):
            self.worked_out += 1
            return describe_endorsers(*arguments)

        monkeypatch.setattr(descriptors, "describe_endorsers", counting)

    def find(self, interest=INTEREST, *, fresh=False):
        """What is remembered, held against what would be worked out."""
        before = self.worked_out
        channel, peers = self.bench.channel, self.bench.peers("mychannel")
        found = self.known.find(channel.bundle, channel.definition, peers, interest)
        assert found == describe_endorsers(channel.bundle, channel.definition, peers, interest)
        assert (self.worked_out > before) == fresh
        return found


@pytest.fixture
def counted(monkeypatch):
    bench = GatewayBench()
    bench.define(basic=definition(), other=definition("OR('Org1MSP.peer')"))
    return Counted(bench, monkeypatch)


def test_the_same_is_worked_out_once(counted):
    first = counted.find(fresh=True)
    assert counted.find() is first
    counted.find(interest_in("other"), fresh=True)
    assert counted.find() is first


def test_heights_and_other_chaincodes_do_not_matter(counted):
    counted.find(fresh=True)
    infos = counted.bench.infos
    counted.bench.infos = {name: replace(info, height=99) for name, info in infos.items()}
    counted.bench.define(other=definition(sequence=2))
    counted.find()


def test_a_new_definition_matters(counted):
    counted.find(fresh=True)
    counted.bench.define(basic=definition("OR('Org2MSP.peer')", sequence=2))
    counted.find(fresh=True)


def test_a_new_configuration_matters(counted):
    counted.find(fresh=True)
    channel = counted.bench.channel
    channel.bundle = ChannelBundle(channel.bundle.channel_id, channel.bundle.config)
    counted.find(fresh=True)


def test_who_is_there_and_what_they_have_matters(counted):
    counted.find(fresh=True)
    infos = counted.bench.infos
    gone = infos.pop("peer0.org3")
    counted.find(fresh=True)
    infos["peer0.org3"] = replace(gone, chaincodes={"other": 1})
    counted.find(fresh=True)
    infos["peer0.org3"] = replace(gone, identity=infos["peer0.org1"].identity)
    counted.find(fresh=True)


def test_a_refusal_is_not_remembered(counted):
    with pytest.raises(NoEndorsers):
        counted.find(interest_in("nosuch"))
    counted.bench.define(nosuch=definition())
    counted.find(interest_in("nosuch"), fresh=True)


def test_there_is_an_end_to_memory(counted, monkeypatch):
    monkeypatch.setattr(descriptors, "LIMIT", 2)
    for name in ("a", "b", "c"):
        counted.bench.define(**{name: definition()})
        counted.find(interest_in(name), fresh=True)
    counted.find(interest_in("c"))
    counted.find(interest_in("a"), fresh=True)
