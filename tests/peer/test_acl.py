"""Who may use which resource, by default and as a channel's configuration says."""

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import SigningIdentity
from gridloom.common.msp import Msp
from gridloom.common.policies.policy import SignedData
from gridloom.peer.acl import CHANNEL_RESOURCES, PEER_RESOURCES, AccessControl, AccessDenied
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.peer.configuration_pb2 import ACLs, APIResource
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from harness.consortium import CHANNEL, Consortium, consortium

USER1, ADMIN1, PEER1 = consortium().user(1), consortium().user(1, "Admin"), consortium().peer(1)
USER2 = consortium().user(2)
READERS = sorted(name for name, policy in CHANNEL_RESOURCES.items() if policy.endswith("Readers"))
WRITERS = sorted(name for name, policy in CHANNEL_RESOURCES.items() if policy.endswith("Writers"))


OVERRIDES = """
channels:
  - name: mychannel
    acls:
      event/Block: /Channel/Application/Org1MSP/Admins
      peer/NewResource: Org1MSP/Admins
      cscc/JoinChain: /Channel/Application/Readers
"""


def access() -> AccessControl:
    """The access control of a peer of Org1MSP."""
    local = Msp.from_config(consortium().material.msp_config("Org1MSP"))
    return AccessControl({CHANNEL: consortium().bundle()}.get, local)


def signed(signer: SigningIdentity, message: bytes = b"request") -> SignedData:
    return SignedData(message, signer.serialized, signer.sign(message))


def allowed(control: AccessControl, resource: str, channel: str, *signers) -> list[bool]:
    answers = []
    for signer in signers:
        try:
            control.check(resource, channel, signed(signer))
            answers.append(True)
        except AccessDenied:
            answers.append(False)
    return answers


@pytest.mark.parametrize("resource", sorted(PEER_RESOURCES))
def test_resources_of_the_peer_are_for_its_own_organisation(resource):
    members_too = resource == "cscc/GetChannels"
    answers = allowed(access(), resource, "", ADMIN1, USER1, PEER1, USER2)
    assert answers == [True, members_too, members_too, False]


@pytest.mark.parametrize("resource", READERS)
def test_readers_of_the_channel_may_look(resource):
    stranger = Consortium(seed=8).user()
    answers = allowed(access(), resource, CHANNEL, USER1, USER2, PEER1, ADMIN1, stranger)
    assert answers == [True, True, True, True, False]


@pytest.mark.parametrize("resource", WRITERS)
def test_only_writers_of_the_channel_may_act(resource):
    orderer = consortium().orderer()
    answers = allowed(access(), resource, CHANNEL, USER1, USER2, PEER1, ADMIN1, orderer)
    assert answers == [True, True, False, True, False]


def verified(control: AccessControl, *signers: SigningIdentity) -> list[bool]:
    """Who may propose of those whose signatures have been checked already."""
    answers = []
    for signer in signers:
        known = consortium().bundle().msp_manager.deserialize(signer.serialized)
        try:
            control.check_verified("peer/Propose", CHANNEL, known, signed(signer))
            answers.append(True)
        except AccessDenied:
            answers.append(False)
    return answers


def test_whose_signature_was_checked_is_judged_all_the_same():
    signers = (USER1, USER2, PEER1, ADMIN1, consortium().orderer())
    assert verified(access(), *signers) == [True, True, False, True, False]
    known = consortium().bundle().msp_manager.deserialize(PEER1.serialized)
    with pytest.raises(AccessDenied, match=r"with policy \[/Channel/Application/Writers\]: \[impl"):
        access().check_verified("peer/Propose", CHANNEL, known, signed(PEER1))


def test_whose_signature_was_checked_is_judged_by_the_configuration_in_force():
    local = Msp.from_config(consortium().material.msp_config("Org1MSP"))
    config = Config()
    config.CopyFrom(consortium().bundle().config)
    bundles = {CHANNEL: ChannelBundle(CHANNEL, config)}
    control = AccessControl(bundles.get, local)
    assert verified(control, USER1, USER2) == [True, True]

    application = config.channel_group.groups["Application"]
    del application.groups["Org2MSP"]
    bundles[CHANNEL] = ChannelBundle(CHANNEL, config)
    assert verified(control, USER1, USER2) == [True, False]

    only_admins = {"peer/Propose": APIResource(policy_ref="/Channel/Application/Admins")}
    application.values["ACLs"].value = ACLs(acls=only_admins).SerializeToString()
    bundles[CHANNEL] = ChannelBundle(CHANNEL, config)
    assert verified(control, USER1, ADMIN1) == [False, True]


def test_a_signature_over_something_else_opens_nothing():
    forged = SignedData(b"other", USER1.serialized, signed(ADMIN1).signature)
    for resource, channel in (("cscc/GetChannels", ""), ("qscc/GetChainInfo", CHANNEL)):
        with pytest.raises(AccessDenied):
            access().check(resource, channel, forged)


def test_the_channels_configuration_replaces_policies_of_channel_resources_only():
    members = Consortium(OVERRIDES)
    local = Msp.from_config(members.material.msp_config("Org1MSP"))
    control = AccessControl({CHANNEL: members.bundle()}.get, local)
    signers = members.user(1, "Admin"), members.user(1)
    assert allowed(control, "event/Block", CHANNEL, *signers) == [True, False]
    assert allowed(control, "event/FilteredBlock", CHANNEL, *signers) == [True, True]
    assert allowed(control, "peer/NewResource", CHANNEL, *signers) == [True, False]
    assert allowed(control, "cscc/JoinChain", CHANNEL, *signers) == [True, False]
    with pytest.raises(AccessDenied, match=r"^failed evaluating policy on signed data during"):
        control.check("event/Block", CHANNEL, signed(signers[1]))


def test_texts_are_the_ones_fabrics_clients_know():
    with pytest.raises(AccessDenied) as denied:
        access().check("peer/Propose", CHANNEL, signed(PEER1))
    assert str(denied.value) == (
        "Failed evaluating policy on signed data during check policy on channel [mychannel] "
        "with policy [/Channel/Application/Writers]: [implicit policy evaluation failed - "
        "0 sub-policies were satisfied, but this policy requires 1 of the 'Writers' "
        "sub-policies to be satisfied]"
    )
    with pytest.raises(AccessDenied, match="Unmapped policy for no/Such"):
        access().check("no/Such", CHANNEL, signed(USER1))
    with pytest.raises(AccessDenied, match=r"Failed to get policy manager for channel \[other\]"):
        access().check("peer/Propose", "other", signed(USER1))
    with pytest.raises(AccessDenied, match=r"channelless check policy with policy \[Admins\]"):
        access().check("cscc/JoinChain", "", signed(USER1))


def test_a_proposal_that_does_not_parse_is_denied():
    with pytest.raises(AccessDenied):
        access().check_proposal("peer/Propose", CHANNEL, SignedProposal(proposal_bytes=b"\xff"))
