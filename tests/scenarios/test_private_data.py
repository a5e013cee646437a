"""Private data on a whole network: who gets them, when, and who never does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from gridloom.client import CommitError, EndorseError, GatewayError
from gridloom.deploy.home import NetworkHome
from gridloom.peer.settings import PrivateDataSettings
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from harness.private_network import (
    IMPATIENT,
    ORG1,
    ORG1_SECOND,
    ORG2,
    ORG3,
    collection,
    private_network,
)

KEY_HASH = sha256(b"k").digest()
VALUE_HASH = sha256(b"secret").digest()


def details(error: GatewayError) -> str:
    return "; ".join(detail.message for detail in error.details) or str(error)


async def test_members_hold_the_cleartext_and_all_hold_the_hash():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="secret")
        assert [network.clear(name, "k") for name in (ORG1, ORG1_SECOND, ORG2, ORG3)] == [
            b"secret", b"secret", b"secret", None,
        ]  # fmt: skip
        assert {network.hashed(name, KEY_HASH) for name in network.peers} == {VALUE_HASH}
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"secret"
        digest = await network.evaluate("digest", "secrets", "k", peer=ORG3)
        assert digest == VALUE_HASH.hex().encode()


async def test_who_is_no_member_is_told_that_he_has_no_such_version():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="secret")
        with pytest.raises(GatewayError) as refused:
            await network.evaluate("get", "secrets", "k", peer=ORG3)
        number = network.ledger(ORG3).height - 1
        assert details(refused.value).endswith(
            ": private data matching public hash version is not available. Public hash version = "
            f"{{BlockNum: {number}, TxNum: 0}}, Private data version = <nil>"
        )


async def test_nothing_is_given_out_at_endorsement_with_a_maximum_of_zero():
    rules = collection(requiredPeerCount=0, maxPeerCount=0)
    async with private_network(rules) as network:
        gateway = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        proposal = gateway.new_proposal("put", ["secrets", "k"], transient={"value": b"secret"})
        transaction = await proposal.endorse()
        tx_id = transaction.transaction_id
        assert [bool(network.ledger(n).transient.get(tx_id)) for n in (ORG1, ORG2)] == [True, False]
        await (await transaction.submit()).get_status()
        await network.settled()
        # others have pulled it at commit
        assert network.clear(ORG2, "k") == network.clear(ORG1_SECOND, "k") == b"secret"
        assert network.clear(ORG3, "k") is None


async def test_an_endorsement_fails_when_fewer_members_than_required_can_have_the_data():
    rules = collection(requiredPeerCount=2, maxPeerCount=2)
    async with private_network(rules) as network:
        network.lose(ORG1_SECOND)
        with pytest.raises(EndorseError) as refused:
            await network.submit("put", "secrets", "k", value="secret")
        assert (
            "channel mychannel: Failed disseminating 1 out of 2 private dissemination plans"
            in details(refused.value)
        )
        network.lose()
        await network.submit("put", "secrets", "k", value="secret")


async def test_an_endorsement_fails_when_the_network_has_too_few_members():
    rules = collection("secrets", 2, requiredPeerCount=1, maxPeerCount=1)
    async with private_network(rules) as network:
        with pytest.raises(EndorseError) as refused:
            await network.submit("put", "secrets", "k", value="secret", org="Org2")
        assert "error in simulation: failed to distribute private collection, txID" in details(
            refused.value
        )
        assert (
            "could not build private data dissemination plan for chaincode vault and collection "
            "secrets: required to disseminate to at least 1 peers, but know of only 0 eligible "
            "peers" in details(refused.value)
        )


async def test_peers_beyond_the_required_ones_need_not_be_there():
    rules = collection(requiredPeerCount=0, maxPeerCount=3)
    async with private_network(rules) as network:
        network.lose(ORG1_SECOND, ORG2)
        await network.submit("put", "secrets", "k", value="secret")
        assert network.clear(ORG1, "k") == b"secret"


async def test_a_block_commits_without_data_that_cannot_be_had_and_gets_them_later():
    rules = collection(requiredPeerCount=0, maxPeerCount=0)
    async with private_network(rules) as network:
        network.lose(ORG1, ORG1_SECOND)
        await network.submit("put", "secrets", "k", value="secret")
        ledger = network.ledger(ORG2)
        number = ledger.height - 1
        assert network.clear(ORG2, "k") is None
        assert [row[:4] for row in ledger.missing(10, 100)] == [(number, 0, "vault", "secrets")]
        assert await network.channel(ORG2).private_data.reconcile() == 0
        assert ledger.missing(10, 100), "nobody answered, so it stays among the first"
        network.lose()
        assert await network.channel(ORG2).private_data.reconcile() == 1
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"secret"
        assert ledger.missing(10, 100) == []
        assert ledger.private_data(number) == network.ledger(ORG1).private_data(number)


async def test_what_is_missing_is_still_known_after_a_restart(tmp_path):
    home = NetworkHome(tmp_path / "home")
    async with private_network(collection(maxPeerCount=0), home=home) as network:
        network.lose(ORG1, ORG1_SECOND)
        await network.submit("put", "secrets", "k", value="secret")
        missed = network.ledger(ORG2).missing(10, 100)
        assert len(missed) == 1
        await network.restart(ORG2)
        assert network.ledger(ORG2).missing(10, 100) == missed
        network.lose()
        assert await network.channel(ORG2).private_data.reconcile() == 1
        await network.restart(ORG2)
        assert network.clear(ORG2, "k") == b"secret"
        assert network.ledger(ORG2).missing(10, 100) == []


async def test_reconciliation_runs_by_itself():
    settings = PrivateDataSettings(
        pull_retry_threshold=timedelta(0), reconcile_interval=timedelta(milliseconds=20)
    )
    rules = collection(maxPeerCount=0)
    async with private_network(rules, settings=settings) as network:
        network.lose(ORG1, ORG1_SECOND)
        await network.submit("put", "secrets", "k", value="secret")
        assert network.clear(ORG2, "k") is None
        network.lose()
        async with asyncio.timeout(120):
            while network.clear(ORG2, "k") is None:  # noqa: ASYNC110 - a ledger's content
                await asyncio.sleep(0.01)


async def test_what_is_overwritten_meanwhile_does_not_come_back_to_the_state():
    async with private_network(collection(maxPeerCount=0)) as network:
        network.lose(ORG1, ORG1_SECOND)
        await network.submit("put", "secrets", "k", value="old")
        number = network.ledger(ORG2).height - 1
        network.lose()
        await network.submit("put", "secrets", "k", value="new")
        assert await network.channel(ORG2).private_data.reconcile() == 1
        assert network.clear(ORG2, "k") == b"new"
        assert b"old" in network.ledger(ORG2).private_data(number)[0].SerializeToString()


async def test_the_last_of_several_late_values_counts():
    async with private_network(collection(maxPeerCount=0)) as network:
        network.lose(ORG1, ORG1_SECOND)
        for value in ("one", "two", "three"):
            await network.submit("put", "secrets", "k", value=value)
        await network.submit("put", "secrets", "gone", value="x")
        await network.submit("delete", "secrets", "gone")
        network.lose()
        assert await network.channel(ORG2).private_data.reconcile() == 5
        assert network.clear(ORG2, "k") == b"three"
        assert network.clear(ORG2, "gone") is None


async def test_data_of_invalid_transactions_are_kept_but_do_not_count():
    rules = collection(endorsementPolicy={"signaturePolicy": "OR('Org2MSP.peer')"})
    async with private_network(rules) as network:
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await network.submit("put", "secrets", "k", value="secret")
        await network.settled()
        number = network.ledger(ORG2).height - 1
        assert b"secret" in network.ledger(ORG2).private_data(number)[0].SerializeToString()
        assert network.ledger(ORG3).private_data(number) == {}
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b""
        await network.submit("put", "secrets", "k", value="secret", endorsers=["Org2MSP"])
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"secret"


async def test_a_collection_may_name_a_policy_of_the_channel():
    reference = {"channelConfigPolicy": "/Channel/Application/Endorsement"}
    rules = collection(endorsementPolicy=reference)
    async with private_network(rules) as network:
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await network.submit("put", "secrets", "k", value="secret")
        both = ["Org1MSP", "Org2MSP"]
        await network.submit("put", "secrets", "k", value="secret", endorsers=both)
        assert network.clear(ORG2, "k") == b"secret"


async def test_only_clients_of_members_may_read_and_write_if_the_collection_says_so():
    closed = collection(memberOnlyRead=True, memberOnlyWrite=True)
    async with private_network(closed, collection("open")) as network:
        for name in ("secrets", "open"):
            await network.submit("put", name, "k", value="secret")
        by_org3 = {"org": "Org3", "endorsers": ["Org1MSP"]}
        refusal = (
            "tx creator does not have {} access permission on privatedata in "
            "chaincodeName:vault collectionName: secrets"
        )
        with pytest.raises(GatewayError) as refused:
            await network.evaluate("get", "secrets", "k", peer=ORG1, org="Org3")
        assert refusal.format("read") in details(refused.value)
        with pytest.raises(GatewayError) as refused:
            await network.submit("put", "secrets", "k", value="x", **by_org3)
        assert refusal.format("write") in details(refused.value)
        assert await network.evaluate("get", "open", "k", peer=ORG1, org="Org3") == b"secret"
        await network.submit("put", "open", "k", value="by3", **by_org3)
        assert network.clear(ORG2, "k", "open") == b"by3"


async def test_an_endorser_that_is_no_member_gives_the_data_to_members_and_keeps_nothing():
    async with private_network(collection(maxPeerCount=2)) as network:
        await network.submit("put", "secrets", "k", value="secret", org="Org3")
        assert network.clear(ORG1, "k") == network.clear(ORG2, "k") == b"secret"
        assert network.clear(ORG3, "k") is None
        assert network.ledger(ORG3).private_data(network.ledger(ORG3).height - 1) == {}


async def test_every_organisation_has_a_collection_of_its_own():
    async with private_network() as network:
        own = "_implicit_org_Org1MSP"
        await network.submit("put", own, "k", value="secret")
        holders = [name for name in network.peers if network.clear(name, "k", own)]
        assert holders == [ORG1, ORG1_SECOND]
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await network.submit("put", own, "k", value="forged", org="Org2")
        with pytest.raises(EndorseError) as refused:
            await network.submit("put", "_implicit_org_Org9MSP", "k", value="x")
        assert "collection [_implicit_org_Org9MSP] not defined" in details(refused.value)


async def test_an_unknown_collection_is_refused():
    async with private_network() as network:
        with pytest.raises(EndorseError) as refused:
            await network.submit("put", "nosuch", "k", value="x")
        assert "collection mychannel/vault/nosuch could not be found" in details(refused.value)


async def test_private_ranges_are_read_alone():
    async with private_network() as network:
        for key in ("b", "a", "c"):
            await network.submit("put", "secrets", key, value=key)
        assert await network.evaluate("keys", "secrets", "a", "c") == b'["a","b"]'
        with pytest.raises(EndorseError) as refused:
            await network.submit("count", "secrets", "total")
        assert "Transaction has already performed queries on pvt data" in details(refused.value)


async def test_two_writers_who_read_the_same_secret_conflict():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="a")
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        endorsed = [
            await contract.new_proposal(
                "append", ["secrets", "k"], transient={"value": b"b"}
            ).endorse()
            for _ in range(2)
        ]
        commits = [await transaction.submit() for transaction in endorsed]
        codes = sorted([(await commit.get_status()).code for commit in commits])
        assert codes == [0, 11]
        await network.settled()
        assert network.clear(ORG2, "k") == b"ab"


async def test_a_secret_may_have_an_endorsement_policy_of_its_own():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="1")
        await network.submit("guard", "secrets", "k", '["Org2MSP"]')
        assert await network.evaluate("guards", "secrets", "k", peer=ORG3) == b'["Org2MSP"]'
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"1"
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await network.submit("put", "secrets", "k", value="2")
        await network.submit("put", "secrets", "k", value="2", endorsers=["Org2MSP"])
        assert await network.evaluate("get", "secrets", "k") == b"2"
        with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
            await network.submit("guard", "secrets", "k", '["Org1MSP"]')
        await network.submit("put", "secrets", "other", value="3")


async def test_the_gateway_finds_the_endorsers_a_guarded_secret_needs():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="1")
        await network.submit("guard", "secrets", "k", '["Org1MSP","Org2MSP"]')
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        await contract.submit("put", ["secrets", "k"], transient={"value": b"2"})
        await network.settled()
        assert network.clear(ORG2, "k") == b"2"


async def test_a_purge_takes_all_past_values_from_every_member():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="first")
        await network.submit("put_all", '["secrets"]', "other", value="kept")
        await network.submit("put", "secrets", "k", value="second")
        await network.submit("purge", "secrets", "k")
        for name in (ORG1, ORG1_SECOND, ORG2):
            ledger = network.ledger(name)
            past = b"".join(
                private.SerializeToString()
                for number in range(ledger.height)
                for private in ledger.private_data(number).values()
            )
            assert b"first" not in past
            assert b"second" not in past
            assert b"kept" in past
            assert network.clear(name, "k") is None
        assert {network.hashed(name, KEY_HASH) for name in network.peers} == {None}
        await network.submit("put", "secrets", "k", value="third")
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"third"


async def test_a_purge_that_came_first_holds_for_data_that_come_late():
    async with private_network(collection(maxPeerCount=0)) as network:
        network.lose(ORG1, ORG1_SECOND)
        await network.submit("put_all", '["secrets"]', "k", value="first")
        number = network.ledger(ORG2).height - 1
        network.lose()
        await network.submit("purge", "secrets", "k")
        await network.channel(ORG2).private_data.reconcile()
        assert network.ledger(ORG2).missing(10, 100) == []
        private = network.ledger(ORG2).private_data(number)[0]
        assert b"first" not in private.SerializeToString()


async def test_a_member_that_is_added_gets_what_was_written_before():
    before = collection("secrets", 1, maxPeerCount=1)
    async with private_network(before) as network:
        await network.submit("put", "secrets", "k", value="secret")
        assert network.clear(ORG2, "k") is None
        assert network.ledger(ORG2).missing(10, 100) == []
        await network.deploy([collection("secrets", 1, 2)], sequence=2)
        assert [row.namespace for row in network.ledger(ORG2).missing(10, 100)] == ["vault"]
        assert network.ledger(ORG3).missing(10, 100) == []
        assert await network.channel(ORG2).private_data.reconcile() == 1
        assert await network.evaluate("get", "secrets", "k", peer=ORG2) == b"secret"


async def test_a_member_that_is_removed_gets_nothing_new():
    async with private_network(collection("secrets", 1, 2)) as network:
        await network.submit("put", "secrets", "k", value="old")
        await network.deploy([collection("secrets", 1)], sequence=2)
        await network.submit("put", "secrets", "k", value="new")
        assert network.clear(ORG1, "k") == b"new"
        assert network.clear(ORG2, "k") == b"old"
        with pytest.raises(GatewayError, match="private data matching public hash version"):
            await network.evaluate("get", "secrets", "k", peer=ORG2)


async def test_settings_of_the_peer_decide_who_gets_what_it_writes_to_its_own_collection():
    settings = replace(IMPATIENT, own_required=1, own_maximum=1)
    description = "organizations: [{name: Org1, peers: 2}]"
    async with private_network(
        collection("secrets", 1), settings=settings, description=description
    ) as network:
        network.lose(ORG1_SECOND)
        with pytest.raises(EndorseError) as refused:
            await network.submit("put", "_implicit_org_Org1MSP", "k", value="secret")
        assert "Failed disseminating 1 out of 1" in details(refused.value)


async def delivered(network, number, org, peer=ORG1):
    """Private values in a block, as a reader of ``org`` gets them from a peer."""
    reader = network.access.gateway(org, peer=peer).get_network("mychannel")
    async with reader.block_and_private_data_events(start_block=number) as events:
        found = await anext(events)
    assert found.block.header.number == number
    return sorted(
        (written.collection_name, write.value)
        for private in found.private_data_map.values()
        for namespace in private.ns_pvt_rwset
        for written in namespace.collection_pvt_rwset
        for write in KVRWSet.FromString(written.rwset).writes
    )


async def test_block_events_show_private_data_to_whom_the_rules_before_the_block_allow():
    closed = collection(memberOnlyRead=True)
    async with private_network(closed, collection("open")) as network:
        await network.submit("put_all", '["secrets","open"]', "k", value="v")
        number = network.ledger(ORG1).height - 1
        both = [("open", b"v"), ("secrets", b"v")]
        assert await delivered(network, number, "Org1") == both
        assert await delivered(network, number, "Org2") == both
        assert await delivered(network, number, "Org3") == both[:1]
        assert await delivered(network, number, "Org3", peer=ORG3) == []
        await network.deploy(
            [collection("secrets", 1, 2, 3, memberOnlyRead=True), collection("open")], sequence=2
        )
        await network.submit("put", "secrets", "k", value="new")
        assert await delivered(network, number, "Org3") == both[:1]
        after = network.ledger(ORG1).height - 1
        assert await delivered(network, after, "Org3") == [("secrets", b"new")]


async def test_block_events_show_no_purged_data():
    async with private_network() as network:
        await network.submit("put", "secrets", "k", value="v")
        number = network.ledger(ORG1).height - 1
        await network.submit("purge", "secrets", "k")
        assert await delivered(network, number, "Org1") == []
