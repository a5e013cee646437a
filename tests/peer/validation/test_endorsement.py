"""Which signatures a transaction needs: chaincode, collection and key policies, and _lifecycle."""

from dataclasses import replace

import pytest

from gridloom.common.policies import language
from gridloom.peer.validation.block_validator import ValidationHalted
from gridloom.protos.peer import collection_pb2, policy_pb2
from harness.consortium import Consortium, consortium
from harness.stage_a import MAJORITY, StageA, collections, signature_policy
from harness.transactions import (
    VALIDATION_PARAMETER,
    Draft,
    collection,
    endorse,
    namespace,
    rwset,
)

FAILED = "ENDORSEMENT_POLICY_FAILURE"
ORG1, ORG2 = consortium().peer(1), consortium().peer(2)
ORG1_ONLY = language.parse("OR('Org1MSP.peer')").SerializeToString()
ORG2_ONLY = language.parse("OR('Org2MSP.peer')").SerializeToString()


@pytest.fixture
def stage_a() -> StageA:
    stage_a = StageA(consortium().bundle())
    stage_a.define("basic")
    return stage_a


def draft(*endorsers, results: bytes = b"", nonce: str = "", **parts) -> Draft:
    return Draft(
        creator=consortium().user(),
        endorsers=endorsers,
        results=results,
        nonce=f"nonce {nonce}".encode(),
        **parts,
    )


def writes(*endorsers, key: str = "key", nonce: str = "") -> bytes:
    results = rwset(namespace("basic", {key: b"value"}))
    return draft(*endorsers, results=results, nonce=nonce).envelope()


def changes_policy(*endorsers, key: str = "key", nonce: str = "policy", **parts) -> bytes:
    metadata = {key: {VALIDATION_PARAMETER: ORG1_ONLY}}
    results = rwset(namespace("basic", metadata=metadata))
    return draft(*endorsers, results=results, nonce=nonce, **parts).envelope()


def test_a_majority_of_organisations_endorses_by_default(stage_a):
    assert stage_a.codes(writes(ORG1, ORG2), writes(ORG1), writes(ORG2), writes()) == [
        "VALID",
        FAILED,
        FAILED,
        FAILED,
    ]


def test_one_organisation_counts_once_however_often_it_signs(stage_a):
    assert stage_a.codes(writes(ORG1, ORG1)) == [FAILED]


def test_clients_and_strangers_do_not_endorse(stage_a):
    stranger = Consortium(seed=3).peer(2)
    assert stage_a.codes(writes(ORG1, consortium().user(2)), writes(ORG1, stranger)) == [FAILED] * 2


def test_an_endorsement_of_something_else_is_worth_nothing(stage_a):
    made = draft(ORG1, ORG2, results=rwset(namespace("basic", {"key": b"value"})))
    good, bad = endorse(made.signed_response, ORG1), endorse(made.signed_response + b"x", ORG2)
    swapped = endorse(made.signed_response, ORG2)
    swapped.signature = endorse(made.signed_response, ORG1).signature
    for forged in (bad, swapped):
        assert stage_a.codes(replace(made, endorsements=[good, forged]).envelope()) == [FAILED]


def test_a_bad_signature_does_not_spoil_a_later_good_one_of_the_same_peer(stage_a):
    made = draft(results=rwset(namespace("basic", {"key": b"value"})))
    signed = made.signed_response
    bad = endorse(signed + b"x", ORG2)
    endorsements = [endorse(signed, ORG1), bad, endorse(signed, ORG2)]
    assert stage_a.codes(replace(made, endorsements=endorsements).envelope()) == ["VALID"]


def test_a_transaction_that_only_reads_needs_the_chaincode_policy(stage_a):
    reads = rwset(namespace("basic", reads=["key"]))
    assert stage_a.codes(
        draft(ORG1, ORG2, results=reads).envelope(),
        draft(ORG1, results=reads, nonce="2").envelope(),
        draft(ORG1, nonce="3").envelope(),
    ) == ["VALID", FAILED, FAILED]


def test_every_written_namespace_asks_for_its_own_policy(stage_a):
    stage_a.define("org2", signature_policy("OR('Org2MSP.peer')").SerializeToString())
    stage_a.define("org1", signature_policy("OR('Org1MSP.peer')").SerializeToString())
    called = rwset(namespace("org1", {"a": b"1"}), namespace("org2", {"a": b"1"}))
    reads = rwset(namespace("org1", {"a": b"1"}), namespace("org2", reads=["a"]))
    assert stage_a.codes(
        draft(ORG1, results=called, chaincode="org1").envelope(),
        draft(ORG1, ORG2, results=called, chaincode="org1", nonce="2").envelope(),
        draft(ORG1, results=reads, chaincode="org1", nonce="3").envelope(),
    ) == [FAILED, "VALID", "VALID"]


def test_writing_into_an_undefined_namespace_is_no_valid_chaincode(stage_a):
    results = rwset(namespace("basic", {"a": b"1"}), namespace("nosuch", {"a": b"1"}))
    assert stage_a.codes(draft(ORG1, ORG2, results=results).envelope()) == ["INVALID_CHAINCODE"]


@pytest.mark.parametrize("missing", ["validation_plugin", "validation_parameter"])
def test_a_definition_without_plugin_or_policy_is_no_valid_chaincode(stage_a, missing):
    stage_a.define("basic", **{missing: "" if missing == "validation_plugin" else b""})
    assert stage_a.codes(writes(ORG1, ORG2)) == ["INVALID_CHAINCODE"]


@pytest.mark.parametrize(
    "policy",
    [
        b"\xff",
        policy_pb2.ApplicationPolicy(
            channel_config_policy_reference="/Channel/Application/NoSuch"
        ).SerializeToString(),
        b"\x0a\x00",
        b"\x1a\x00",
    ],
    ids=["garbage", "unknown reference", "empty rule", "no known kind"],
)
def test_a_policy_that_cannot_be_evaluated_fails_every_transaction(stage_a, policy):
    stage_a.define("basic", policy)
    assert stage_a.codes(writes(ORG1, ORG2)) == [FAILED]


def test_a_key_policy_replaces_the_chaincode_policy_for_its_key(stage_a):
    stage_a.guard("basic", "mine", ORG1_ONLY)
    assert stage_a.codes(
        writes(ORG1, key="mine"),
        writes(ORG2, key="mine", nonce="2"),
        writes(ORG1, key="other", nonce="3"),
    ) == ["VALID", FAILED, FAILED]


def test_keys_with_and_without_policy_in_one_transaction_need_both(stage_a):
    stage_a.guard("basic", "mine", ORG1_ONLY)
    stage_a.guard("basic", "yours", ORG2_ONLY)
    both = rwset(namespace("basic", {"mine": b"1", "yours": b"1"}))
    mixed = rwset(namespace("basic", {"mine": b"1", "other": b"1"}))
    assert stage_a.codes(
        draft(ORG1, results=both).envelope(),
        draft(ORG1, ORG2, results=both, nonce="2").envelope(),
        draft(ORG1, results=mixed, nonce="3").envelope(),
        draft(ORG1, ORG2, results=mixed, nonce="4").envelope(),
    ) == [FAILED, "VALID", FAILED, "VALID"]


def test_an_empty_key_policy_is_none(stage_a):
    stage_a.guard("basic", "key", b"")
    assert stage_a.codes(writes(ORG1), writes(ORG1, ORG2, nonce="2")) == [FAILED, "VALID"]


def test_a_change_of_policy_is_judged_by_the_policy_that_is_there(stage_a):
    stage_a.guard("basic", "key", ORG2_ONLY)
    assert stage_a.codes(changes_policy(ORG1)) == [FAILED]
    assert stage_a.codes(changes_policy(ORG2)) == ["VALID"]


def test_after_a_change_of_policy_the_key_waits_for_the_next_block(stage_a):
    assert stage_a.codes(
        writes(ORG1, ORG2, nonce="before"),
        changes_policy(ORG1, ORG2),
        writes(ORG1, ORG2, nonce="after"),
        writes(ORG1, ORG2, key="other", nonce="other"),
    ) == ["VALID", "VALID", FAILED, "VALID"]


def test_a_failed_change_of_policy_stands_in_nobodys_way(stage_a):
    assert stage_a.codes(changes_policy(ORG1), writes(ORG1, ORG2)) == [FAILED, "VALID"]
    bad_form = changes_policy(ORG1, ORG2, tx_id="wrong")
    assert stage_a.codes(bad_form, writes(ORG1, ORG2)) == ["BAD_PROPOSAL_TXID", "VALID"]


def test_a_block_does_not_remember_the_changes_of_the_block_before(stage_a):
    assert stage_a.codes(changes_policy(ORG1, ORG2)) == ["VALID"]
    assert stage_a.codes(writes(ORG1, ORG2)) == ["VALID"]


def test_a_corrupt_key_policy_halts_the_channel(stage_a):
    stage_a.guard("basic", "key", b"\xff\xff")
    assert stage_a.codes(writes(ORG1, ORG2, key="other")) == ["VALID"]
    with pytest.raises(ValidationHalted, match="could not translate policy") as halted:
        stage_a.validate(writes(ORG1, ORG2, key="other"), writes(ORG1, ORG2))
    assert (halted.value.number, halted.value.index) == (7, 1)


def test_an_unknown_validation_plugin_halts_the_channel(stage_a):
    stage_a.define("basic", validation_plugin="custom")
    with pytest.raises(ValidationHalted, match="plugin with name custom"):
        stage_a.validate(writes(ORG1, ORG2))


def private(name: str, *endorsers, nonce: str = "", chaincode: str = "basic", **parts) -> bytes:
    results = rwset(namespace(chaincode, collections=[collection(name, {"k": b"v"}, **parts)]))
    return draft(*endorsers, results=results, nonce=nonce, chaincode=chaincode).envelope()


def with_collections(stage_a: StageA) -> StageA:
    own = collection_pb2.StaticCollectionConfig(
        name="own", endorsement_policy=signature_policy("OR('Org2MSP.peer')")
    )
    plain = collection_pb2.StaticCollectionConfig(name="plain")
    stage_a.define("basic", MAJORITY, collections=collections(own, plain))
    return stage_a


def test_a_collection_with_a_policy_of_its_own_asks_for_that(stage_a):
    with_collections(stage_a)
    assert stage_a.codes(private("own", ORG1), private("own", ORG2, nonce="2")) == [FAILED, "VALID"]


def test_a_collection_without_one_asks_for_the_chaincodes(stage_a):
    with_collections(stage_a)
    assert stage_a.codes(private("plain", ORG1), private("plain", ORG1, ORG2, nonce="2")) == [
        FAILED,
        "VALID",
    ]


def test_a_collection_nobody_defined_fails(stage_a):
    with_collections(stage_a)
    assert stage_a.codes(private("nosuch", ORG1, ORG2)) == [FAILED]


def test_a_private_key_policy_is_found_by_the_keys_hash(stage_a):
    with_collections(stage_a)
    stage_a.guard("basic", "k", ORG1_ONLY, collection="own")
    assert stage_a.codes(private("own", ORG1), private("own", ORG2, nonce="2")) == ["VALID", FAILED]


def test_a_private_policy_change_holds_up_the_same_private_key_only(stage_a):
    with_collections(stage_a)
    change = collection("own", metadata={"k": {VALIDATION_PARAMETER: ORG1_ONLY}})
    changing = draft(ORG2, results=rwset(namespace("basic", collections=[change])), nonce="change")
    assert stage_a.codes(
        changing.envelope(), private("own", ORG2), private("plain", ORG1, ORG2, nonce="2")
    ) == ["VALID", FAILED, "VALID"]


def test_an_implicit_collection_asks_its_organisation(stage_a):
    assert stage_a.codes(
        private("_implicit_org_Org1MSP", ORG1),
        private("_implicit_org_Org1MSP", ORG2, nonce="2"),
        private("_implicit_org_NoSuchMSP", ORG1, ORG2, nonce="3"),
    ) == ["VALID", FAILED, FAILED]


def test_an_approval_needs_the_approving_organisation_only(stage_a):
    approval = {"chaincode": "_lifecycle"}
    assert stage_a.codes(
        private("_implicit_org_Org1MSP", ORG1, **approval),
        private("_implicit_org_Org1MSP", ORG2, nonce="2", **approval),
        private("explicit", ORG1, ORG2, nonce="3", **approval),
    ) == ["VALID", FAILED, FAILED]


def test_a_definition_needs_the_lifecycle_endorsement_policy(stage_a):
    results = rwset(namespace("_lifecycle", {"namespaces/fields/x/Sequence": b"\x08\x01"}))
    commit = {"results": results, "chaincode": "_lifecycle", "version": "syscc"}
    assert stage_a.codes(
        draft(ORG1, nonce="1", **commit).envelope(),
        draft(ORG1, ORG2, nonce="2", **commit).envelope(),
    ) == [FAILED, "VALID"]


def test_system_chaincodes_other_than_the_lifecycle_have_nothing_to_submit(stage_a):
    for name in ("qscc", "cscc", "lscc"):
        call = draft(ORG1, ORG2, chaincode=name, version="syscc")
        assert stage_a.codes(call.envelope()) == ["INVALID_CHAINCODE"]
