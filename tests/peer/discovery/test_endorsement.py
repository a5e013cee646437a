"""Who can endorse: the scenarios of Fabric's discovery, on real identities and policies."""

from dataclasses import replace

import pytest

from gridloom.common.policies.language import parse
from gridloom.peer.discovery.endorsement import describe_endorsers, interest_in
from gridloom.peer.discovery.interest_policies import NoEndorsers
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest
from harness.gateway_parts import GatewayBench, definition

COLLECTIONS = """[
  {"name": "both", "policy": "OR('Org1MSP.member', 'Org2MSP.member')"},
  {"name": "one", "policy": "OR('Org1MSP.member')",
   "endorsementPolicy": {"signaturePolicy": "OR('Org1MSP.peer')"}}
]"""


@pytest.fixture
def bench():
    return GatewayBench()


def describe(bench, interest):
    """The combinations of peers, each as a set of (names, how many of them)."""
    peers = bench.peers("mychannel")
    found = describe_endorsers(bench.channel.bundle, bench.channel.definition, peers, interest)
    names = {info.endpoint: name for name, info in bench.infos.items()}
    return {
        frozenset(
            (tuple(sorted(names[e] for e in found.groups[group])), needed)
            for group, needed in layout.items()
        )
        for layout in found.layouts
    }


def interest(*calls):
    return ChaincodeInterest(chaincodes=[ChaincodeCall(**call) for call in calls])


def refusal(bench, interest):
    with pytest.raises(NoEndorsers) as caught:
        describe(bench, interest)
    return str(caught.value)


ORG1 = (("peer0.org1", "peer1.org1"), 1)
ORG2 = (("peer0.org2", "peer1.org2"), 1)
ORG3 = (("peer0.org3",), 1)


def test_majority_needs_two_of_three_organisations(bench):
    bench.define(basic=definition())
    expected = {frozenset(pair) for pair in ((ORG1, ORG2), (ORG1, ORG3), (ORG2, ORG3))}
    assert describe(bench, interest_in("basic")) == expected


def test_each_combination_of_a_signature_policy_is_a_layout(bench):
    bench.define(basic=definition("OR(AND('Org1MSP.peer', 'Org2MSP.peer'), 'Org3MSP.peer')"))
    assert describe(bench, interest_in("basic")) == {frozenset({ORG1, ORG2}), frozenset({ORG3})}


def test_two_of_the_same_principal_are_two_peers_of_one_group(bench):
    bench.define(basic=definition("OutOf(2, 'Org1MSP.peer', 'Org1MSP.peer')"))
    assert describe(bench, interest_in("basic")) == {frozenset({(("peer0.org1", "peer1.org1"), 2)})}


@pytest.mark.parametrize(
    "policy",
    [
        "AND('Org3MSP.peer', 'Org3MSP.peer')",
        "AND('Org3MSP.member', 'Org3MSP.peer')",  # one peer is both, and endorses only once
        "OR('Org1MSP.admin')",
        "OR('Org9MSP.peer')",
    ],
)
def test_combinations_that_no_peers_make_up_are_no_layouts(bench, policy):
    bench.define(basic=definition(policy))
    expected = "no peer combination can satisfy the endorsement policy"
    assert refusal(bench, interest_in("basic")) == expected


def test_chaincodes_calling_each_other_have_to_satisfy_every_policy(bench):
    bench.define(
        one=definition("OR('Org1MSP.peer', 'Org2MSP.peer')"),
        two=definition("AND('Org1MSP.peer', 'Org2MSP.peer')"),
        three=definition("OR('Org3MSP.peer')"),
    )
    assert describe(bench, interest_in("one", "two", "three")) == {frozenset({ORG1, ORG2, ORG3})}


def test_an_unknown_chaincode_or_policy_has_no_metadata(bench):
    expected = "No metadata was found for chaincode basic in channel mychannel"
    assert refusal(bench, interest_in("basic")) == expected
    bench.define(basic=definition("/Channel/Application/NoSuchPolicy"))
    assert refusal(bench, interest_in("basic")) == expected
    bench.define(basic=replace(definition(), validation_parameter=b"\xff"))
    assert refusal(bench, interest_in("basic")) == expected


def test_a_policy_that_names_nobody_is_not_found(bench):
    envelope = SignaturePolicyEnvelope()
    envelope.rule.n_out_of.n = 0
    policy = ApplicationPolicy(signature_policy=envelope).SerializeToString()
    bench.define(basic=replace(definition(), validation_parameter=policy))
    assert refusal(bench, interest_in("basic")) == "policy not found"


def test_the_lifecycle_can_be_endorsed_without_a_definition(bench):
    bench.infos = {n: replace(info, chaincodes={}) for n, info in bench.infos.items()}
    assert len(describe(bench, interest_in("_lifecycle"))) == 3


class TestInstalledChaincodes:
    def give(self, bench, **chaincodes):
        """Say which peers have basic, in which sequence."""
        for name in bench.infos:
            sequence = chaincodes.get(name.replace(".", "_"))
            known = {} if sequence is None else {"basic": sequence}
            bench.infos[name] = replace(bench.infos[name], chaincodes=known)

    def test_only_peers_that_have_the_chaincode_are_offered(self, bench):
        bench.define(basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer')"))
        self.give(bench, peer0_org1=1, peer1_org2=1)
        assert describe(bench, interest_in("basic")) == {
            frozenset({(("peer0.org1",), 1), (("peer1.org2",), 1)})
        }

    def test_the_plan_goes_around_an_organisation_without_it(self, bench):
        bench.define(basic=definition())
        self.give(bench, peer0_org1=1, peer1_org1=1, peer0_org3=1)
        assert describe(bench, interest_in("basic")) == {frozenset({ORG1, ORG3})}

    @pytest.mark.parametrize("org2", [{}, {"peer0_org2": 1}])
    def test_too_few_or_former_definitions_are_not_enough(self, bench, org2):
        bench.define(basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer')", sequence=2))
        self.give(bench, peer0_org1=2, **org2)
        expected = "required chaincodes are not installed on sufficient peers"
        assert refusal(bench, interest_in("basic")) == expected

    def test_peers_of_whom_nothing_is_known_are_taken_to_have_it(self, bench):
        bench.define(basic=definition("OR('Org1MSP.peer')"))
        assert describe(bench, interest_in("basic")) == {frozenset({ORG1})}


class TestCollections:
    @pytest.fixture(autouse=True)
    def defined(self, bench):
        bench.define(basic=definition("AND('Org1MSP.peer', 'Org3MSP.peer')", COLLECTIONS))

    def test_reading_one_leaves_only_its_members(self, bench):
        bench.define(basic=definition("OR('Org1MSP.peer', 'Org3MSP.peer')", COLLECTIONS))
        read = interest({"name": "basic", "collection_names": ["both"]})
        assert describe(bench, read) == {frozenset({ORG1})}

    def test_writing_one_blindly_needs_no_member(self, bench):
        written = {"name": "basic", "collection_names": ["both"], "no_private_reads": True}
        assert describe(bench, interest(written)) == {frozenset({ORG1, ORG3})}
        read = interest({"name": "basic", "collection_names": ["both"]})
        expected = "no peer combination can satisfy the endorsement policy"
        assert refusal(bench, read) == expected

    def test_a_collections_own_policy_takes_the_chaincodes_place(self, bench):
        written = {"name": "basic", "collection_names": ["one"], "no_private_reads": True}
        assert describe(bench, interest(written)) == {frozenset({ORG1})}
        assert describe(bench, interest({"name": "basic"}, written)) == {frozenset({ORG1, ORG3})}

    def test_an_implicit_collection_belongs_to_its_organisation(self, bench):
        call = {"name": "basic", "collection_names": ["_implicit_org_Org2MSP"]}
        assert describe(bench, interest(call)) == {frozenset({ORG2})}
        assert describe(bench, interest(call | {"no_private_reads": True})) == {frozenset({ORG2})}

    def test_reading_one_that_is_not_defined_is_refused(self, bench):
        read = interest({"name": "basic", "collection_names": ["nosuch"]})
        assert refusal(bench, read) == (
            "collection nosuch doesn't exist in collection config for chaincode basic"
        )


class TestKeyPolicies:
    @pytest.fixture(autouse=True)
    def defined(self, bench):
        bench.define(basic=definition("OR('Org1MSP.peer', 'Org2MSP.peer')"))

    def test_they_are_added_to_the_chaincodes(self, bench):
        call = {"name": "basic", "key_policies": [parse("OR('Org3MSP.peer')")]}
        assert describe(bench, interest(call)) == {
            frozenset({ORG1, ORG3}),
            frozenset({ORG2, ORG3}),
        }

    def test_they_stand_alone_where_every_key_has_one(self, bench):
        call = {
            "name": "basic",
            "key_policies": [parse("OR('Org3MSP.peer')"), parse("OR('Org2MSP.member')")],
            "disregard_namespace_policy": True,
        }
        assert describe(bench, interest(call)) == {frozenset({ORG2, ORG3})}

    def test_nothing_left_to_satisfy_is_refused(self, bench):
        call = {"name": "basic", "disregard_namespace_policy": True}
        assert refusal(bench, interest(call)).startswith(
            "requested to disregard chaincode basic's policy but key and collection policies are"
        )

    def test_one_that_cannot_be_compiled_is_refused(self, bench):
        call = {"name": "basic", "key_policies": [SignaturePolicyEnvelope()]}
        assert refusal(bench, interest(call)) == "empty policy element"
