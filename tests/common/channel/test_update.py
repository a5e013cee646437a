"""Config updates: computed as Fabric's tools do, applied as its orderers and peers do."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridloom.common.channel import config_map, update_validation
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError, UpdateRejected
from gridloom.common.channel.update import compute_update
from gridloom.common.policies.language import parse_policy
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.common.policies.policy_manager import PolicyManager
from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from harness import golden_config
from harness.fake_msps import FakeMsps, signed
from harness.shared import shared


def _golden(name: str) -> bytes:
    return shared("golden", "config", name).read_bytes()


# --- the recorded update of a real network ------------------------------------------


def test_the_computed_update_equals_the_recorded_one():
    original = Config.FromString(_golden("config.pb"))
    modified = Config.FromString(_golden("modified_config.pb"))
    recorded = ConfigUpdate.FromString(_golden("config_update.pb"))
    assert compute_update(golden_config.CHANNEL_ID, original, modified) == recorded


def test_proposing_the_recorded_update_gives_the_config_of_the_block():
    committed = golden_config.config_envelope(golden_config.UPDATE_BLOCK)
    proposed = golden_config.genesis_bundle().propose_update(committed.last_update)
    assert proposed == committed


def test_a_peer_accepts_the_committed_config_and_nothing_else():
    genesis = golden_config.genesis_bundle()
    committed = golden_config.config_envelope(golden_config.UPDATE_BLOCK)
    genesis.validate_config(committed)
    genesis.validate_new(ChannelBundle("golden1", committed.config))
    committed.config.channel_group.groups["Orderer"].values["BatchTimeout"].value += b"x"
    with pytest.raises(UpdateRejected, match="did not produce the supplied config"):
        genesis.validate_config(committed)
    committed.config.sequence = 2
    with pytest.raises(UpdateRejected, match="at sequence 0, cannot validate config at sequence 2"):
        genesis.validate_config(committed)
    with pytest.raises(UpdateRejected, match="nil config"):
        genesis.validate_config(ConfigEnvelope())


def test_without_signatures_the_answer_is_the_one_the_real_orderer_gave():
    recorded = shared("golden", "config", "config_update_rejected.txt").read_text()
    unsigned = common_pb2.Envelope.FromString(_golden("config_update_in_envelope.pb"))
    with pytest.raises(UpdateRejected) as caught:
        golden_config.genesis_bundle().propose_update(unsigned)
    assert recorded.strip().endswith(f"'golden1': {caught.value}")
    assert isinstance(caught.value.__cause__, PolicyNotSatisfied)
    assert caught.value.__cause__.unmet == ("OrdererOrg/Admins: 'OrdererMSP.admin'",)


def test_an_envelope_that_is_no_config_update_is_refused():
    genesis = golden_config.genesis_bundle()
    for payload in (b"\xff", b"", golden_config.block(0).data.data[0]):
        with pytest.raises(UpdateRejected, match="error converting envelope to config update"):
            genesis.propose_update(common_pb2.Envelope(payload=payload))
    config_envelope = common_pb2.Envelope.FromString(golden_config.block(0).data.data[0])
    with pytest.raises(UpdateRejected, match="expected CONFIG_UPDATE"):
        genesis.propose_update(config_envelope)


# --- computed and applied, on any tree ----------------------------------------------

VERSIONS = st.integers(0, 3)
MOD_POLICIES = st.sampled_from(["/Channel/Anyone", "/Channel/Nobody"])


@st.composite
def _groups(draw, depth: int = 2) -> ConfigGroup:
    group = ConfigGroup(version=draw(VERSIONS), mod_policy="/Channel/Anyone")
    for key in draw(st.sets(st.sampled_from("xyz"), max_size=2)):
        group.values[key].version = draw(VERSIONS)
        group.values[key].value = draw(st.sampled_from([b"", b"1", b"2"]))
        group.values[key].mod_policy = "/Channel/Anyone"
    for key in draw(st.sets(st.sampled_from("pq"), max_size=2)):
        group.policies[key].version = draw(VERSIONS)
        rule = draw(st.sampled_from(["OR('A.peer')", "ANY x"]))
        group.policies[key].policy.CopyFrom(parse_policy(rule))
        group.policies[key].mod_policy = "/Channel/Anyone"
    if depth:
        for key in draw(st.sets(st.sampled_from("gh"), max_size=2)):
            group.groups[key].CopyFrom(draw(_groups(depth=depth - 1)))
    return group


def _policies(group: ConfigGroup) -> PolicyManager:
    tree = ConfigGroup()
    tree.CopyFrom(group)
    tree.policies["Anyone"].policy.CopyFrom(parse_policy("OutOf(0, 'A.peer')"))
    return PolicyManager("Channel", tree, FakeMsps())


def _apply(group: ConfigGroup, update: ConfigUpdate, signers=()) -> ConfigGroup:
    envelope = ConfigUpdateEnvelope(config_update=update.SerializeToString())
    for data in signed(signers):
        header = common_pb2.SignatureHeader(creator=data.identity)
        envelope.signatures.add(
            signature_header=header.SerializeToString(), signature=data.signature
        )
    elements = config_map.map_config(group)
    return update_validation.apply_update("ch", elements, _policies(group), envelope)


def _expected(before: ConfigGroup | None, after: ConfigGroup) -> ConfigGroup:
    """The updated tree with the versions that the rules give it."""
    result = ConfigGroup(mod_policy=after.mod_policy)
    old = ConfigGroup() if before is None else before
    if before is not None:
        membership = any(
            set(getattr(before, kind)) != set(getattr(after, kind))
            for kind in ("groups", "values", "policies")
        )
        result.version = before.version + (membership or before.mod_policy != after.mod_policy)
    for key in after.groups:
        child = old.groups.get(key)
        result.groups[key].CopyFrom(_expected(child, after.groups[key]))
    for kind, content in (("values", "value"), ("policies", "policy")):
        for key, leaf in getattr(after, kind).items():
            getattr(result, kind)[key].CopyFrom(leaf)
            version = 0
            if key in getattr(old, kind):
                was = getattr(old, kind)[key]
                same = getattr(was, content) == getattr(leaf, content)
                version = was.version + (not same or was.mod_policy != leaf.mod_policy)
            getattr(result, kind)[key].version = version
    return result


@given(_groups(), _groups())
def test_applying_a_computed_update_gives_the_updated_tree(before, after):
    original, updated = Config(channel_group=before), Config(channel_group=after)
    try:
        update = compute_update("ch", original, updated)
    except ConfigError:
        assert _expected(before, after) == before
        return
    assume(_expected(before, after) != before)
    assert _apply(before, update) == _expected(before, after)


def test_equal_configs_have_no_update():
    config = golden_config.genesis_config()
    with pytest.raises(ConfigError, match="no differences detected"):
        compute_update("golden1", config, golden_config.genesis_config())
    with pytest.raises(ConfigError, match="no channel group included for updated"):
        compute_update("golden1", config, Config())


# --- what is refused -----------------------------------------------------------------


@pytest.fixture
def tree() -> ConfigGroup:
    """A channel with one org: Org.admin guards Org, Boss.admin guards the rest."""
    root = ConfigGroup(version=1, mod_policy="Admins")
    root.policies["Admins"].policy.CopyFrom(parse_policy("OR('Boss.admin')"))
    root.policies["Admins"].mod_policy = "Admins"
    root.values["Timeout"].value = b"2s"
    root.values["Timeout"].mod_policy = "Admins"
    org = root.groups["Org"]
    org.mod_policy = "Admins"
    org.policies["Admins"].policy.CopyFrom(parse_policy("OR('Org.admin')"))
    org.policies["Admins"].mod_policy = "Admins"
    org.values["Peers"].version = 4
    org.values["Peers"].value = b"a"
    org.values["Peers"].mod_policy = "Admins"
    org.values["Absolute"].mod_policy = "/Channel/Admins"
    org.values["Lost"].mod_policy = "NoSuchPolicy"
    org.values["Unset"].value = b"u"
    return root


def _changed(tree: ConfigGroup) -> ConfigGroup:
    copy = ConfigGroup()
    copy.CopyFrom(tree)
    return copy


def _update(before: ConfigGroup, after: ConfigGroup) -> ConfigUpdate:
    return compute_update("ch", Config(channel_group=before), Config(channel_group=after))


def test_a_value_is_guarded_by_the_policy_of_its_own_group(tree):
    after = _changed(tree)
    after.groups["Org"].values["Peers"].value = b"b"
    result = _apply(tree, _update(tree, after), ["Org.admin"])
    assert result.groups["Org"].values["Peers"].version == 5
    with pytest.raises(UpdateRejected, match=r"\[Value\]  /Channel/Org/Peers not satisfied"):
        _apply(tree, _update(tree, after), ["Boss.admin"])


def test_an_absolute_mod_policy_is_meant_from_the_root(tree):
    after = _changed(tree)
    after.groups["Org"].values["Absolute"].value = b"b"
    _apply(tree, _update(tree, after), ["Boss.admin"])
    with pytest.raises(UpdateRejected, match="not satisfied"):
        _apply(tree, _update(tree, after), ["Org.admin"])


def test_a_group_is_guarded_by_the_policy_inside_it(tree):
    after = _changed(tree)
    after.groups["Org"].values["New"].value = b"n"
    after.groups["Org"].values["New"].mod_policy = "Admins"
    assert "New" in _apply(tree, _update(tree, after), ["Org.admin"]).groups["Org"].values
    with pytest.raises(UpdateRejected, match=r"\[Group\]  /Channel/Org not satisfied"):
        _apply(tree, _update(tree, after), ["Boss.admin"])


def test_the_present_policy_judges_its_own_replacement(tree):
    after = _changed(tree)
    after.groups["Org"].policies["Admins"].policy.CopyFrom(parse_policy("OR('Thief.admin')"))
    with pytest.raises(UpdateRejected, match="not satisfied"):
        _apply(tree, _update(tree, after), ["Thief.admin"])
    _apply(tree, _update(tree, after), ["Org.admin"])


def test_a_group_is_removed_and_added_by_the_policy_above(tree):
    after = _changed(tree)
    del after.groups["Org"]
    after.groups["Other"].CopyFrom(tree.groups["Org"])
    after.groups["Other"].values["Lost"].mod_policy = "Admins"
    after.groups["Other"].values["Unset"].mod_policy = "Admins"
    result = _apply(tree, _update(tree, after), ["Boss.admin"])
    assert list(result.groups) == ["Other"]
    assert result.version == 2
    assert result.groups["Other"].values["Peers"].version == 0
    with pytest.raises(UpdateRejected, match=r"\[Group\]  /Channel not satisfied"):
        _apply(tree, _update(tree, after), ["Org.admin"])


def test_one_missing_consent_refuses_the_whole_update(tree):
    after = _changed(tree)
    after.groups["Org"].values["Peers"].value = b"b"
    after.values["Timeout"].value = b"1s"
    _apply(tree, _update(tree, after), ["Org.admin", "Boss.admin"])
    with pytest.raises(UpdateRejected, match="/Channel/Timeout not satisfied"):
        _apply(tree, _update(tree, after), ["Org.admin"])


def test_an_element_whose_policy_is_missing_cannot_be_changed(tree):
    after = _changed(tree)
    after.groups["Org"].values["Lost"].value = b"b"
    with pytest.raises(UpdateRejected, match="unexpected missing policy NoSuchPolicy for item"):
        _apply(tree, _update(tree, after), ["Org.admin"])


def test_an_unlisted_new_element_needs_no_consent_and_does_not_appear(tree):
    """The read of Fabric's code: only what a group lists is taken over."""
    update = _update(tree, _with_timeout(tree, b"1s"))
    update.write_set.values["Ghost"].mod_policy = "Admins"
    result = _apply(tree, update, ["Boss.admin"])
    assert "Ghost" not in result.values
    assert result.values["Timeout"].value == b"1s"


def _with_timeout(tree: ConfigGroup, value: bytes) -> ConfigGroup:
    after = _changed(tree)
    after.values["Timeout"].value = value
    return after


TAMPERED = {
    "wrong channel": (lambda u: setattr(u, "channel_id", "x"), "ConfigUpdate for channel 'x'"),
    "read of an old version": (
        lambda u: setattr(u.read_set, "version", 0),
        r"requires that key \[Group\]  /Channel be at version 0, but it is currently at version 1",
    ),
    "read of something absent": (
        lambda u: u.read_set.values["Nothing"].SetInParent(),
        "does not contain element for .*Nothing but was in the read set",
    ),
    "nothing written": (lambda u: u.ClearField("write_set"), "delta set was empty"),
    "only reads": (lambda u: u.write_set.CopyFrom(u.read_set), "delta set was empty"),
    "version skipped": (
        lambda u: setattr(u.write_set.values["Timeout"], "version", 2),
        "attempt to set key .*Timeout to version 2, but key is at version 0",
    ),
    "version not raised": (
        lambda u: setattr(u.write_set.values["Timeout"], "version", 0),
        "attempt to set key .*Timeout to version 0, but key is at version 0",
    ),
    "new at version 1": (
        lambda u: (
            setattr(u.write_set.values["New"], "version", 1),
            setattr(u.write_set.values["New"], "mod_policy", "Admins"),
        ),
        "attempted to set key .*New to version 1, but key does not exist",
    ),
    "no mod policy": (
        lambda u: u.write_set.values["Timeout"].ClearField("mod_policy"),
        "invalid mod_policy for element .*Timeout: mod_policy not set",
    ),
    "bad mod policy": (
        lambda u: setattr(u.write_set.values["Timeout"], "mod_policy", "/Channel//Admins"),
        "path element at 1 is invalid",
    ),
    "root mod policy": (
        lambda u: setattr(u.write_set.values["Timeout"], "mod_policy", "/"),
        "path element at 0 is invalid",
    ),
    "bad key": (
        lambda u: u.write_set.values["a b"].SetInParent(),
        "error mapping WriteSet: illegal characters in key",
    ),
    "bad key read": (
        lambda u: u.read_set.groups[""].SetInParent(),
        "error mapping ReadSet: illegal characters in key",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_update_is_refused(tree, name):
    tamper, reason = TAMPERED[name]
    update = _update(tree, _with_timeout(tree, b"1s"))
    tamper(update)
    with pytest.raises(UpdateRejected, match=reason):
        _apply(tree, update, ["Boss.admin"])


def test_malformed_updates_and_signatures_are_refused(tree):
    elements, policies = config_map.map_config(tree), _policies(tree)
    garbage = ConfigUpdateEnvelope(config_update=b"\xff")
    with pytest.raises(UpdateRejected, match="ConfigUpdate"):
        update_validation.apply_update("ch", elements, policies, garbage)
    update = _update(tree, _with_timeout(tree, b"1s"))
    envelope = ConfigUpdateEnvelope(config_update=update.SerializeToString())
    envelope.signatures.add(signature_header=b"\xff")
    with pytest.raises(UpdateRejected, match="SignatureHeader"):
        update_validation.apply_update("ch", elements, policies, envelope)


def test_an_empty_mod_policy_becomes_admins_where_the_orderer_has_capabilities(tree):
    after = _with_timeout(tree, b"1s")
    unrepaired = _apply(tree, _update(tree, after), ["Boss.admin"])
    assert unrepaired.groups["Org"].values["Unset"].mod_policy == ""
    tree.groups["Orderer"].values["Capabilities"].SetInParent()
    repaired = _apply(tree, _update(tree, _with_timeout(tree, b"1s")), ["Boss.admin"])
    assert repaired.groups["Org"].values["Unset"].mod_policy == "Admins"
    assert repaired.groups["Orderer"].mod_policy == "Admins"
    assert repaired.groups["Orderer"].values["Capabilities"].mod_policy == "Admins"
    assert repaired.groups["Org"].values["Unset"].version == 0
