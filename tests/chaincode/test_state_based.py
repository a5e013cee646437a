"""Key policies: the bytes equal those a Go chaincode put on a real ledger."""

from base64 import b64decode

import pytest

from gridloom.chaincode import ChaincodeError, KeyEndorsementPolicy
from gridloom.common.errors import MalformedMessage

# golden/blocks 38 and 41: setKeyOrgs("sbe", "Org1MSP"[, "Org2MSP"]) by peers of these.
ONE = b64decode("EggSBggBEgIIABoNEgsKB09yZzFNU1AQAw==")
BOTH = b64decode("EgwSCggCEgIIABICCAEaDRILCgdPcmcxTVNQEAMaDRILCgdPcmcyTVNQEAM=")


def test_a_policy_is_the_same_bytes_as_the_official_librarys():
    policy = KeyEndorsementPolicy()
    policy.add_orgs("PEER", "Org1MSP")
    assert policy.policy() == ONE
    policy.add_orgs("PEER", "Org2MSP")
    assert policy.policy() == BOTH


def test_the_order_of_adding_does_not_matter():
    policy = KeyEndorsementPolicy()
    policy.add_orgs("PEER", "Org2MSP", "Org1MSP")
    assert policy.policy() == BOTH


def test_a_policy_from_the_ledger_can_be_changed():
    policy = KeyEndorsementPolicy(BOTH)
    assert policy.list_orgs() == ["Org1MSP", "Org2MSP"]
    policy.delete_orgs("Org2MSP", "NobodyMSP")
    assert policy.policy() == ONE
    policy.add_orgs("MEMBER", "Org1MSP")
    assert policy.policy() != ONE


def test_other_roles_and_other_bytes_are_refused():
    with pytest.raises(ChaincodeError, match="role type CLIENT does not exist"):
        KeyEndorsementPolicy().add_orgs("CLIENT", "Org1MSP")
    with pytest.raises(MalformedMessage):
        KeyEndorsementPolicy(b"\xff")
