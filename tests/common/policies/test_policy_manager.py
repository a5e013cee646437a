"""Policies found by path, and trees that do not compile."""

import pytest

from gridloom.common.policies.language import parse_policy
from gridloom.common.policies.policy import InvalidPolicy, PolicyNotSatisfied
from gridloom.common.policies.policy_manager import PolicyManager
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from harness.fake_msps import FakeMsps, signed


@pytest.fixture
def root() -> ConfigGroup:
    root = ConfigGroup()
    root.policies["Readers"].policy.CopyFrom(parse_policy("ANY Readers"))
    application = root.groups["Application"]
    application.policies["Readers"].policy.CopyFrom(parse_policy("MAJORITY Readers"))
    for org in ("A", "B"):
        rule = parse_policy(f"OR('{org}.peer')")
        application.groups[org].policies["Readers"].policy.CopyFrom(rule)
    return root


def test_a_policy_is_found_by_absolute_and_by_relative_path(root):
    manager = PolicyManager("Channel", root, FakeMsps())
    found = manager.get("/Channel/Application/A/Readers")
    assert found is manager.get("Application/A/Readers")
    below = manager.sub(["Application"])
    assert below is not None
    assert found is below.get("A/Readers") is below.get("/Channel/Application/A/Readers")
    assert manager.sub([]) is manager
    assert manager.sub(["Application", "C"]) is None
    assert sorted(manager.paths()) == [
        "/Channel/Application/A/Readers",
        "/Channel/Application/B/Readers",
        "/Channel/Application/Readers",
        "/Channel/Readers",
    ]


@pytest.mark.parametrize(
    "path",
    ["", "/", "/Channel", "/Channel/", "Channel/Readers", "/Other/Readers", "/ChannelX/Readers",
     "Application", "Application/", "/Channel/Application/C/Readers", "//Readers"],
)  # fmt: skip
def test_what_is_not_there_is_a_policy_nobody_satisfies(root, path):
    manager = PolicyManager("Channel", root, FakeMsps())
    assert manager.find(path) is None
    with pytest.raises(PolicyNotSatisfied, match=f"no such policy: '{path}'"):
        manager.get(path).evaluate(signed(["A.peer"]))


def test_a_sub_policy_above_the_child_is_not_found(root):
    root.policies["Up"].policy.CopyFrom(parse_policy("ANY /Channel/Readers"))
    root.policies["Down"].policy.CopyFrom(parse_policy("ANY A/Readers"))
    manager = PolicyManager("Channel", root, FakeMsps())
    with pytest.raises(PolicyNotSatisfied):
        manager.get("Up").evaluate(signed(["A.peer", "B.peer"]))
    manager.get("Down").evaluate(signed(["A.peer"]))


def test_implicit_policies_nest_and_say_where_they_failed(root):
    manager = PolicyManager("Channel", root, FakeMsps())
    manager.get("/Channel/Readers").evaluate(signed(["A.peer", "B.peer"]))
    with pytest.raises(PolicyNotSatisfied) as caught:
        manager.get("/Channel/Readers").evaluate(signed(["A.peer"]))
    assert caught.value.unmet == ("Application/B/Readers: 'B.peer'",)
    assert caught.value.seen == ("A peer",)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (Policy(type=Policy.MSP), "unknown policy type: 2"),
        (Policy(), "unknown policy type: 0"),
        (Policy(type=Policy.SIGNATURE, value=b"\xff"), "SignaturePolicyEnvelope"),
        (Policy(type=Policy.SIGNATURE), "empty policy element"),
        (Policy(type=Policy.IMPLICIT_META, value=b"\xff"), "ImplicitMetaPolicy"),
        (Policy(type=Policy.IMPLICIT_META, value=b"\x10\x07"), "unknown implicit meta rule 7"),
        (
            Policy(
                type=Policy.SIGNATURE,
                value=SignaturePolicyEnvelope(version=1).SerializeToString(),
            ),
            "version was 1",
        ),
        (Policy(type=Policy.SIGNATURE, value=b"\x12\x0a" * 200), "SignaturePolicyEnvelope"),
    ],
)
def test_a_policy_that_does_not_compile_names_its_path(root, policy, reason):
    root.groups["Application"].policies["Bad"].policy.CopyFrom(policy)
    with pytest.raises(InvalidPolicy, match="policy Bad at path Channel/Application") as caught:
        PolicyManager("Channel", root, FakeMsps())
    assert reason in str(caught.value)


def test_a_policy_without_content_is_refused(root):
    root.policies["Empty"].SetInParent()
    with pytest.raises(InvalidPolicy, match="policy Empty at path Channel was nil"):
        PolicyManager("Channel", root, FakeMsps())
