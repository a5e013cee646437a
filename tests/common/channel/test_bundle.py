"""The bundle of a real network, and every rule by which a configuration is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from gridloom.common.blocks import new_block, verify_block_signatures
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError, UnsupportedCapability, UpdateRejected
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.protos.common import common_pb2, configuration_pb2
from gridloom.protos.common.configtx_pb2 import Config, ConfigGroup
from gridloom.protos.common.policies_pb2 import Policy
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from gridloom.protos.orderer import configuration_pb2 as orderer_pb2
from gridloom.protos.peer.configuration_pb2 import ACLs
from harness import golden_config
from harness.shared import shared

ORDERER = ("Orderer",)
APPLICATION = ("Application",)
ORG1 = ("Application", "Org1MSP")
ORDERER_ORG = ("Orderer", "OrdererOrg")


def at(config: Config, path: tuple[str, ...]) -> ConfigGroup:
    group = config.channel_group
    for key in path:
        group = group.groups[key]
    return group


def put(path: tuple[str, ...], key: str, value) -> Callable[[Config], None]:
    """Return a change that sets a value; bytes as they are, messages serialized."""

    def change(config: Config) -> None:
        data = value if isinstance(value, bytes) else value.SerializeToString()
        at(config, path).values[key].value = data
        at(config, path).values[key].mod_policy = "Admins"

    return change


def drop(path: tuple[str, ...], key: str) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        del at(config, path).values[key]

    return change


def capabilities(path: tuple[str, ...], *names: str) -> Callable[[Config], None]:
    message = configuration_pb2.Capabilities()
    for name in names:
        message.capabilities[name].SetInParent()
    return put(path, "Capabilities", message)


def changed(*changes: Callable[[Config], None]) -> Config:
    config = golden_config.genesis_config()
    for change in changes:
        change(config)
    return config


def bundle(*changes: Callable[[Config], None]) -> ChannelBundle:
    return ChannelBundle("golden1", changed(*changes))


def test_the_genesis_block_of_a_real_network_loads():
    genesis = golden_config.genesis_bundle()
    assert (genesis.channel_id, genesis.sequence) == ("golden1", 0)
    assert genesis.orderer.consensus_type == "etcdraft"
    assert genesis.orderer.batch_timeout == timedelta(seconds=2)
    size = genesis.orderer.batch_size
    assert (size.max_message_count, size.absolute_max_bytes, size.preferred_max_bytes) == (
        10,
        103809024,
        524288,
    )
    assert genesis.orderer_endpoints == [("OrdererMSP", "127.0.0.1:7050")]
    assert genesis.orderer.addresses == ("127.0.0.1:7050",)
    orgs = genesis.application.orgs
    assert {msp_id: org.anchor_peers for msp_id, org in orgs.items()} == {
        "Org1MSP": (("127.0.0.1", 7051),),
        "Org2MSP": (("127.0.0.1", 9051),),
    }
    assert genesis.orderer.orgs["OrdererMSP"].group_name == "OrdererOrg"
    assert genesis.application.acls == {}
    assert genesis.consortium == ""
    assert genesis.capabilities.application.supports("V2_0")
    assert genesis.capabilities.application.supports("V2_5")
    assert not genesis.capabilities.channel.supports("V3_0")
    assert set(genesis.msp_manager.msps) == {"Org1MSP", "Org2MSP", "OrdererMSP"}


def test_the_configtxgen_file_and_the_delivered_block_agree():
    block = common_pb2.Block.FromString(shared("golden", "config", "genesis.block").read_bytes())
    assert ChannelBundle.from_config_block(block).config == golden_config.genesis_bundle().config


def test_every_block_of_the_network_satisfies_the_orderers_policy():
    blocks = sorted(shared("golden", "blocks", "peer").glob("*.pb"))[1:]
    assert len(blocks) > 60
    genesis = golden_config.genesis_bundle()
    for path in blocks:
        verify_block_signatures(common_pb2.Block.FromString(path.read_bytes()), genesis)


def test_a_forged_block_does_not_and_the_error_explains_itself():
    block = golden_config.block(5)
    block.header.number = 6
    with pytest.raises(PolicyNotSatisfied) as caught:
        verify_block_signatures(block, golden_config.genesis_bundle())
    assert caught.value.seen == ()
    assert caught.value.ignored == ("OrdererMSP (InvalidSignature)",)
    assert caught.value.unmet == ("OrdererOrg/Writers: 'OrdererMSP.member'",)


def test_the_later_config_block_has_the_next_sequence():
    later = ChannelBundle.from_config_block(golden_config.block(golden_config.UPDATE_BLOCK))
    assert later.sequence == 1
    assert later.orderer.batch_timeout == timedelta(seconds=1)


def test_equal_msps_are_set_up_once_for_all_bundles():
    one, other = bundle(), bundle()
    assert one.msp_manager is not other.msp_manager
    assert one.msp_manager.msp("Org1MSP") is other.msp_manager.msp("Org1MSP")


def _no_group(config: Config) -> None:
    config.ClearField("channel_group")


def _policy(path: tuple[str, ...], policy: Policy) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        at(config, path).policies["New"].policy.CopyFrom(policy)

    return change


def _subgroup(path: tuple[str, ...], name: str = "Sub") -> Callable[[Config], None]:
    def change(config: Config) -> None:
        at(config, path).groups[name].SetInParent()

    return change


def _other_org1_msp(config: Config) -> None:
    """Define Org1MSP once more below the orderers, differently."""
    value = at(config, ORG1).values["MSP"].value
    msp = MSPConfig.FromString(value)
    inner = FabricMSPConfig.FromString(msp.config)
    inner.ClearField("tls_root_certs")
    msp.config = inner.SerializeToString()
    at(config, (*ORDERER, "Again")).values["MSP"].value = msp.SerializeToString()


BATCH = orderer_pb2.BatchSize(max_message_count=1, absolute_max_bytes=2, preferred_max_bytes=1)
ADDRESSES = configuration_pb2.OrdererAddresses(addresses=["h:1"])
WIDTH = configuration_pb2.BlockDataHashingStructure(width=10)


def _batch(**fields: int) -> orderer_pb2.BatchSize:
    message = orderer_pb2.BatchSize()
    message.CopyFrom(BATCH)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def _timeout(text: str) -> Callable[[Config], None]:
    return put(ORDERER, "BatchTimeout", orderer_pb2.BatchTimeout(timeout=text))


REFUSED = {
    "no channel group": ([_no_group], "must contain a channel group"),
    "unknown value": ([put((), "Surprise", b"")], "Unexpected key Surprise"),
    "unknown orderer value": ([put(ORDERER, "Surprise", b"")], "Orderer .*Unexpected key Surprise"),
    "unknown org value": ([put(ORG1, "Endpoints", b"")], "Application .*Unexpected key Endpoints"),
    "malformed value": ([put((), "HashingAlgorithm", b"\xff")], "HashingAlgorithm"),
    "hashing": (
        [put((), "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="MD5"))],
        "Unknown hashing algorithm type: MD5",
    ),
    "no hashing": ([drop((), "HashingAlgorithm")], "Unknown hashing algorithm type: "),
    "width": ([put((), "BlockDataHashingStructure", WIDTH)], "width only supported"),
    "no width": ([drop((), "BlockDataHashingStructure")], "width only supported"),
    "orderer lags channel": (
        [drop(ORDERER, "Capabilities")],
        "cannot enable channel capabilities without orderer support first",
    ),
    "orderer lags application": (
        [drop(ORDERER, "Capabilities"), drop((), "Capabilities")],
        "cannot enable application capabilities without orderer support first",
    ),
    "unknown channel capability": (
        [capabilities((), "V2_0", "V9_9")],
        "Channel capability V9_9 is required but not supported",
    ),
    "unknown orderer capability": (
        [capabilities(ORDERER, "V2_5")],
        "Orderer capability V2_5 is required but not supported",
    ),
    "unknown application capability": (
        [capabilities(APPLICATION, "V3_0")],
        "Application capability V3_0 is required but not supported",
    ),
    "old application": ([capabilities(APPLICATION, "V1_4_2")], "V2_0 or V2_5 is needed"),
    "no application capability": ([drop(APPLICATION, "Capabilities")], "V2_0 or V2_5 is needed"),
    "count 0": ([put(ORDERER, "BatchSize", _batch(max_message_count=0))], "max message count"),
    "absolute 0": ([put(ORDERER, "BatchSize", _batch(absolute_max_bytes=0))], "absolute max"),
    "preferred 0": ([put(ORDERER, "BatchSize", _batch(preferred_max_bytes=0))], "preferred max"),
    "preferred over absolute": (
        [put(ORDERER, "BatchSize", _batch(preferred_max_bytes=3))],
        r"preferred max bytes \(3\) greater than the absolute max bytes \(2\)",
    ),
    "no batch size": ([drop(ORDERER, "BatchSize")], "max message count"),
    "no timeout": ([drop(ORDERER, "BatchTimeout")], "batch timeout to a invalid value"),
    "timeout form": ([_timeout("2")], "batch timeout to a invalid value"),
    "timeout zero": ([_timeout("0s")], "non-positive value: 0s"),
    "timeout negative": ([_timeout("-1s")], "non-positive value: -1s"),
    "org with groups": ([_subgroup(ORG1)], "sub-groups are not allowed"),
    "orderer org with groups": ([_subgroup(ORDERER_ORG)], "sub-groups are not allowed"),
    "other group": ([_subgroup((), "Extra")], "Disallowed channel group: Extra"),
    "org without msp": ([drop(ORG1, "MSP")], "Application .*MSP"),
    "malformed msp": ([put(ORG1, "MSP", MSPConfig(config=b"\xff"))], "setting up the MSP manager"),
    "idemix": ([put(ORG1, "MSP", MSPConfig(type=1))], "unsupported MSP type 1"),
    "two versions of an msp": ([_other_org1_msp], "two different versions of MSP: Org1MSP"),
    "v3 with global addresses": (
        [capabilities((), "V3_0")],
        "global OrdererAddresses are not allowed with V3_0 capability",
    ),
    "v3 without endpoints": (
        [capabilities((), "V3_0"), drop((), "OrdererAddresses"), drop(ORDERER_ORG, "Endpoints")],
        r"some orderer organizations endpoints are empty: \['OrdererOrg'\]",
    ),
    "old channel without addresses": (
        [capabilities((), "V1_3"), drop((), "OrdererAddresses"), drop(ORDERER_ORG, "Endpoints")],
        "Must set some OrdererAddresses",
    ),
    "old channel with endpoints": (
        [capabilities((), "V1_3")],
        r"Orderer Org OrdererOrg cannot contain endpoints value until V1_4_2\+",
    ),
    "msp policy": (
        [_policy(ORG1, Policy(type=Policy.MSP))],
        "New at path Channel/Application/Org1",
    ),
    "bad policy": ([_policy((), Policy(type=1, value=b"\xff"))], "policy New at path Channel did"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_configuration_that_breaks_a_rule_is_refused(name):
    changes, reason = REFUSED[name]
    with pytest.raises(ConfigError, match=reason):
        bundle(*changes)


def test_an_unknown_capability_carries_its_name():
    with pytest.raises(UnsupportedCapability) as caught:
        bundle(capabilities(APPLICATION, "V9"))
    assert (caught.value.group, caught.value.capability) == ("Application", "V9")


@pytest.mark.parametrize(
    "channel_id", ["", "Golden", "1a", "a_b", "a" * 250, "a/b", "ä", "a\n", "."]
)
def test_a_bad_channel_id_is_refused(channel_id):
    with pytest.raises(ConfigError, match="illegal"):
        ChannelBundle(channel_id, golden_config.genesis_config())


@pytest.mark.parametrize("key", ["a b", "..", "a" * 250, "a_b", "ä"])
def test_a_bad_key_in_the_tree_is_refused(key):
    def change(config: Config) -> None:
        policy = at(config, APPLICATION).policies["Admins"]
        at(config, APPLICATION).policies[key].CopyFrom(policy)

    with pytest.raises(ConfigError, match="config ID"):
        bundle(change)


def test_acls_become_absolute_paths():
    message = ACLs()
    message.acls["peer/Propose"].policy_ref = "Readers"
    message.acls["qscc/GetBlockByNumber"].policy_ref = "/Channel/Readers"
    message.acls["event/Block"].policy_ref = ""
    assert bundle(put(APPLICATION, "ACLs", message)).application.acls == {
        "peer/Propose": "/Channel/Application/Readers",
        "qscc/GetBlockByNumber": "/Channel/Readers",
    }


def test_global_addresses_serve_where_no_organization_has_endpoints():
    addresses = put((), "OrdererAddresses", ADDRESSES)
    assert bundle(addresses, drop(ORDERER_ORG, "Endpoints")).orderer_endpoints == [
        ("OrdererMSP", "h:1")
    ]


def test_a_channel_without_a_section_says_so_when_asked():
    def change(config: Config) -> None:
        del config.channel_group.groups["Application"]

    found = bundle(change)
    assert (found.has_orderer, found.has_application) == (True, False)
    with pytest.raises(ConfigError, match="does not contain application config"):
        _ = found.application


def test_a_block_that_is_no_config_block_is_refused():
    with pytest.raises(ConfigError, match="expected CONFIG"):
        ChannelBundle.from_config_block(golden_config.block(5))
    with pytest.raises(ConfigError, match="malformed"):
        ChannelBundle.from_config_block(new_block(0, b"", []))
    with pytest.raises(ConfigError, match="malformed"):
        ChannelBundle.from_config_block(new_block(0, b"", [b"\xff\xff"]))
    with pytest.raises(ConfigError, match="malformed"):
        ChannelBundle.from_config_block(new_block(0, b"", [b""]))


def test_a_real_client_is_a_writer_and_the_error_names_who_was_seen():
    genesis = golden_config.genesis_bundle()
    with pytest.raises(PolicyNotSatisfied) as caught:
        genesis.evaluate("/Channel/Application/Writers", [])
    assert str(caught.value).startswith("implicit policy evaluation failed - 0 sub-policies")
    assert "seen: nobody" in caught.value.explanation


def _rename_msp(path: tuple[str, ...]) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        value = at(config, path).values["MSP"]
        msp = MSPConfig.FromString(value.value)
        inner = FabricMSPConfig.FromString(msp.config)
        inner.name = "RenamedMSP"
        msp.config = inner.SerializeToString()
        value.value = msp.SerializeToString()

    return change


def _without(section: str) -> Callable[[Config], None]:
    def change(config: Config) -> None:
        del config.channel_group.groups[section]

    return change


def _consortiums(config: Config) -> None:
    config.channel_group.groups["Consortiums"].SetInParent()


SOLO = put(ORDERER, "ConsensusType", orderer_pb2.ConsensusType(type="solo"))
OLD = [capabilities((), "V1_3"), drop(ORDERER_ORG, "Endpoints")]

SUCCESSORS = {
    "orderer gone": ([], [_without("Orderer")], "has orderer section"),
    "application gone": ([], [_without("Application")], "has application section"),
    "msp id of an org": ([], [_rename_msp(ORG1)], "application org Org1MSP attempted"),
    "msp id of an orderer org": (
        [],
        [_rename_msp(ORDERER_ORG)],
        "orderer org OrdererOrg attempted",
    ),
    "consortiums appear": ([], [_consortiums], "has no consortiums section"),
    "consortiums gone": ([_consortiums], [], "has consortiums section"),
    "consensus without migration": (OLD, [*OLD, SOLO], "consensus type from etcdraft to solo"),
}


@pytest.mark.parametrize("name", SUCCESSORS)
def test_a_successor_that_changes_what_may_not_change_is_refused(name):
    before, after, reason = SUCCESSORS[name]
    with pytest.raises(UpdateRejected, match=reason):
        bundle(*before).validate_new(bundle(*after))


def test_a_successor_may_change_the_rest():
    def org_gone(config: Config) -> None:
        del config.channel_group.groups["Application"].groups["Org2MSP"]

    bundle().validate_new(bundle())
    bundle().validate_new(bundle(org_gone, SOLO, _timeout("9s")))


def test_old_application_capabilities_are_accepted_only_for_reading():
    config = changed(capabilities(APPLICATION, "V1_4_2"))
    with pytest.raises(UnsupportedCapability, match="V2_0 or V2_5 is needed"):
        ChannelBundle("mychannel", config)
    bundle = ChannelBundle("mychannel", config, allow_old_application=True)
    assert not bundle.capabilities.application.supports("V2_0")
