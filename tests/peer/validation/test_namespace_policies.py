"""Policies that stand in where a channel's configuration defines none."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.policies import language
from gridloom.peer.validation.message_validation import InvalidTransaction
from gridloom.peer.validation.namespace_policies import NamespacePolicies, NoSuchCollection
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from harness.consortium import consortium


def bundle_without(policy: str, *groups: str) -> ChannelBundle:
    config = Config()
    config.CopyFrom(consortium().bundle().config)
    group = config.channel_group.groups["Application"]
    for name in groups:
        group = group.groups[name]
    del group.policies[policy]
    return ChannelBundle("mychannel", config)


def undefined(name: str) -> None:
    return None


def rendered(policy: bytes) -> str:
    return language.render(ApplicationPolicy.FromString(policy).signature_policy)


def reference(policy: bytes) -> str:
    return ApplicationPolicy.FromString(policy).channel_config_policy_reference


def test_the_lifecycle_follows_the_channels_policy():
    policies = NamespacePolicies(consortium().bundle(), undefined)
    assert reference(policies.chaincode_policy("_lifecycle")) == (
        "/Channel/Application/LifecycleEndorsement"
    )


def test_without_that_a_majority_of_organisations_has_to_sign():
    policies = NamespacePolicies(bundle_without("LifecycleEndorsement"), undefined)
    assert rendered(policies.chaincode_policy("_lifecycle")) == language.render(
        language.parse("OutOf(2, 'Org1MSP.member', 'Org2MSP.member')")
    )


def test_an_implicit_collection_follows_its_organisations_policy():
    policies = NamespacePolicies(consortium().bundle(), undefined)
    assert reference(policies.collection_policy("_lifecycle", "_implicit_org_Org2MSP")) == (
        "/Channel/Application/Org2MSP/Endorsement"
    )


def test_without_that_any_member_of_the_organisation_will_do():
    policies = NamespacePolicies(bundle_without("Endorsement", "Org2MSP"), undefined)
    assert rendered(
        policies.collection_policy("_lifecycle", "_implicit_org_Org2MSP")
    ) == language.render(language.parse("OutOf(1, 'Org2MSP.member')"))


def test_what_nobody_defined_has_no_policy():
    policies = NamespacePolicies(consortium().bundle(), undefined)
    with pytest.raises(InvalidTransaction, match="chaincode nosuch not found"):
        policies.chaincode_policy("nosuch")
    with pytest.raises(NoSuchCollection, match="no such collection 'c'"):
        policies.collection_policy("_lifecycle", "c")


def test_a_definition_is_looked_up_once():
    asked = []
    policies = NamespacePolicies(consortium().bundle(), asked.append)
    for _ in range(3):
        with pytest.raises(InvalidTransaction):
            policies.chaincode_policy("nosuch")
    assert asked == ["nosuch"]
