"""The usual changes of a configuration, made on that of a real network."""

from datetime import timedelta

import pytest

from gridloom.common import pem
from gridloom.common.channel import changes, groups
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.update import compute_update
from gridloom.deploy.material import create_material
from gridloom.deploy.topology import Topology
from gridloom.protos.common.configtx_pb2 import Config, ConfigUpdate
from gridloom.protos.orderer.configuration_pb2 import BatchSize
from harness import golden_config
from harness.shared import shared


@pytest.fixture
def config() -> Config:
    return golden_config.genesis_config()


def bundle(config: Config) -> ChannelBundle:
    return ChannelBundle(golden_config.CHANNEL_ID, config)


def update(config: Config, changed: Config) -> ConfigUpdate:
    return compute_update(golden_config.CHANNEL_ID, config, changed)


def third_organization():
    topology = Topology.parse("organizations: [{name: Org3}]")
    material = create_material(topology, None)
    return groups.application_org_group(
        material.msp_config("Org3MSP"), groups.application_org_rules("Org3MSP"), [("peer", 1)]
    )


def test_a_shorter_batch_timeout_gives_the_recorded_update(config):
    changed = changes.set_batch(config, changes.BatchChange(timeout=timedelta(seconds=1)))
    recorded = shared("golden", "config", "config_update.pb").read_bytes()
    assert update(config, changed).SerializeToString(deterministic=True) == recorded


def test_batch_limits_not_named_stay_as_they_are(config):
    before = bundle(config).orderer
    changed = bundle(changes.set_batch(config, changes.BatchChange(max_message_count=3))).orderer
    assert changed.batch_size.max_message_count == 3
    assert changed.batch_size.absolute_max_bytes == before.batch_size.absolute_max_bytes
    assert changed.batch_timeout == before.batch_timeout


def test_what_is_set_to_what_it_is_keeps_its_bytes(config):
    # as another program may have written it: its fields in another order
    size = BatchSize(max_message_count=5, absolute_max_bytes=9, preferred_max_bytes=7)
    unusual = b"".join(
        BatchSize(**{name: getattr(size, name)}).SerializeToString()
        for name in ("preferred_max_bytes", "absolute_max_bytes", "max_message_count")
    )
    config.channel_group.groups["Orderer"].values["BatchSize"].value = unusual
    changed = changes.set_batch(config, changes.BatchChange(max_message_count=5))
    with pytest.raises(ConfigError, match="no differences"):
        update(config, changed)


@pytest.mark.parametrize("number", [0, -1, 2**32])
def test_a_batch_limit_out_of_range_is_refused_by_its_name(config, number):
    with pytest.raises(ConfigError, match="preferred_max_bytes"):
        changes.set_batch(config, changes.BatchChange(preferred_max_bytes=number))


def test_an_organization_joins_and_leaves(config):
    joined = changes.add_organization(config, "Third", third_organization())
    assert bundle(joined).application.orgs["Org3MSP"].anchor_peers == (("peer", 1),)
    for name in ("Third", "Org3MSP"):
        left = changes.remove_organization(joined, name)
        assert left == config
    with pytest.raises(ConfigError, match="Third already"):
        changes.add_organization(joined, "Third", third_organization())
    with pytest.raises(ConfigError, match="no organization Forth; there is: Org1MSP"):
        changes.remove_organization(joined, "Forth")


def test_an_addition_lists_the_other_organizations_by_version_only(config):
    joined = changes.add_organization(config, "Third", third_organization())
    application = update(config, joined).write_set.groups["Application"]
    assert application.version == config.channel_group.groups["Application"].version + 1
    assert set(application.groups) == {"Org1MSP", "Org2MSP", "Third"}
    assert not application.groups["Org1MSP"].values
    assert application.groups["Third"].values["MSP"].value


def test_anchor_peers_are_replaced_and_removed(config):
    moved = changes.set_anchor_peers(config, "Org1MSP", [("a", 1), ("b", 2)])
    assert bundle(moved).application.orgs["Org1MSP"].anchor_peers == (("a", 1), ("b", 2))
    assert "AnchorPeers" in update(config, moved).write_set.groups["Application"].groups[
        "Org1MSP"
    ].values  # fmt: skip
    none = changes.set_anchor_peers(moved, "Org1MSP", [])
    assert bundle(none).application.orgs["Org1MSP"].anchor_peers == ()


def test_acls_are_set_replaced_and_taken_away(config):
    first = changes.set_acls(config, {"peer/Propose": "Admins", "qscc/GetChainInfo": "/Channel/X"})
    assert bundle(first).application.acls == {
        "peer/Propose": "/Channel/Application/Admins",
        "qscc/GetChainInfo": "/Channel/X",
    }
    second = changes.set_acls(first, {"peer/Propose": "Readers", "qscc/GetChainInfo": ""})
    assert bundle(second).application.acls == {"peer/Propose": "/Channel/Application/Readers"}
    assert changes.set_acls(second, {"peer/Propose": ""}) == config
    with pytest.raises(ConfigError, match="no ACL for peer/Propose"):
        changes.set_acls(config, {"peer/Propose": ""})


def test_a_revocation_list_is_appended_to_the_organizations_msp(config):
    topology = Topology.parse("organizations: [{name: Org3}]")
    material = create_material(topology, None)
    authority = material.organization("Org3MSP").ca
    crl = authority.revocation_list({})
    group = groups.application_org_group(
        material.msp_config("Org3MSP"), groups.application_org_rules("Org3MSP")
    )
    joined = changes.add_organization(config, "Third", group)
    der = pem.decode(crl).contents
    twice = changes.add_revocations(
        changes.add_revocations(joined, "Third", [crl]), "Org3MSP", [der]
    )
    lists = changes.msp_config_of(twice.channel_group.groups["Application"].groups["Third"])
    assert list(lists.revocation_list) == [crl, crl]
    assert bundle(twice)
    with pytest.raises(ConfigError, match="no organization Org9"):
        changes.add_revocations(joined, "Org9", [crl])


def test_a_configuration_without_the_section_says_so():
    with pytest.raises(ConfigError, match="no Orderer section"):
        changes.set_batch(Config(), changes.BatchChange(max_message_count=1))
