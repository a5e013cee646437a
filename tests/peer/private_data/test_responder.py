"""Who is given private data that ask for them, and whose are taken that send some."""

import pytest

from gridloom.common.policies.language import parse
from gridloom.common.policies.policy import SignedData
from gridloom.peer.chaincodes.lifecycle.definitions import ChaincodeDefinitions
from gridloom.peer.ledger.private_record import PrivateBlockData
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.private_data.configs import CollectionConfigs
from gridloom.peer.private_data.digests import Digest
from gridloom.peer.private_data.membership import Membership
from gridloom.peer.private_data.responder import PushRefused, Responder
from gridloom.protos.gossip.message_pb2 import PrivatePayload
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo
from harness.consortium import Consortium, consortium
from harness.ledger import commit, endorsed, golden_block, next_block, simulate

PEER1, PEER2 = consortium().peer(1), consortium().peer(2)


def signed(signer):
    return SignedData(b"first message", signer.serialized, signer.sign(b"first message"))


ASKER1, ASKER2 = signed(PEER1), signed(PEER2)


def collection(*organizations, name="c"):
    members = ",".join(f"'{msp_id}.member'" for msp_id in organizations)
    return StaticCollectionConfig(
        name=name,
        member_orgs_policy=CollectionPolicyConfig(signature_policy=parse(f"OR({members})")),
    )


def package(*configs):
    return CollectionConfigPackage(
        config=[CollectionConfig(static_collection_config=config) for config in configs]
    )


class Definitions(ChaincodeDefinitions):
    """One chaincode cc whose collection c is what ``now`` says."""

    def __init__(self, now):
        super().__init__()
        self.now = now

    def collection(self, namespace, collection, reader):
        return self.now if (namespace, collection) == ("cc", "c") else None


class Catalog:
    """Writes the history of collections as told."""

    def __init__(self, package_bytes):
        self.package = package_bytes

    def collection_names(self, namespace, reader):
        return {"c"}

    def block_to_live(self, namespace, collection, reader):
        return 0

    def redefinitions(self, changed, before, after):
        from gridloom.peer.ledger.collection_catalog import Redefinition  # noqa: PLC0415

        package_bytes, self.package = self.package, b""
        return [Redefinition("cc", package_bytes, ())] if package_bytes else []


@pytest.fixture
def ledger():
    ledger = LedgerProvider("memory").create(golden_block(0))
    ledger.collections = Catalog(package(collection("Org1MSP")).SerializeToString())
    commit(ledger, [])  # block 1 defines collection c for Org1
    return ledger


@pytest.fixture
def definitions():
    return Definitions(collection("Org1MSP"))


@pytest.fixture
def responder(ledger, definitions):
    bundle = consortium().bundle()
    return Responder(
        ledger,
        lambda: bundle,
        Membership(lambda: bundle),
        CollectionConfigs(ledger, definitions, "Org1MSP"),
        msp_id="Org1MSP",
        identity=PEER1.serialized,
    )


@pytest.fixture
def committed(ledger):
    """The digest of private data in block 2."""
    results = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", b"v"))
    transactions = [endorsed(results.public, "tx")]
    from gridloom.peer.ledger.store import PrivateRow  # noqa: PLC0415

    (written,) = results.private.ns_pvt_rwset[0].collection_pvt_rwset
    rows = [PrivateRow(0, "cc", "c", written.rwset)]
    ledger.commit(next_block(ledger, transactions), transactions, PrivateBlockData(rows))
    return Digest("", "cc", "c", 2, 0)


async def given(responder, digest, asker):
    elements = await responder.give([digest], asker)
    return [(Digest.of(each.digest), list(each.payload)) for each in elements]


async def test_members_get_committed_data_and_others_do_not(responder, committed, ledger):
    (row,) = ledger.private_rows(2)
    assert await given(responder, committed, ASKER1) == [(committed, [row.rwset])]
    assert await given(responder, committed, ASKER2) == []


async def test_a_forged_claim_gets_nothing(responder, committed):
    forged = SignedData(ASKER1.data, ASKER1.identity, ASKER2.signature)
    assert await given(responder, committed, forged) == []
    stranger = signed(Consortium(seed=4).peer(1))
    assert await given(responder, committed, stranger) == []


async def test_who_has_become_a_member_gets_old_data(responder, committed, definitions):
    definitions.now = collection("Org1MSP", "Org2MSP")
    assert len(await given(responder, committed, ASKER2)) == 1


async def test_who_was_a_member_still_gets_the_data_of_then(responder, committed, definitions):
    definitions.now = collection("Org2MSP")
    assert len(await given(responder, committed, ASKER1)) == 1
    assert len(await given(responder, committed, ASKER2)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"tx": 1},
        {"collection": "d"},
        {"namespace": "other"},
        {"block": 1},
        {"block": 99},
        {"block": 2**64 - 1},
        {"tx": 2**64 - 1},
    ],
    ids=str,
)
async def test_what_is_not_there_is_not_answered(responder, committed, change):
    assert await given(responder, committed._replace(**change), ASKER1) == []


def kept(config, height, value=b"v", ledger=None):
    results = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", value))
    return TxPvtReadWriteSetWithConfigInfo(
        endorsed_at=height,
        pvt_rwset=results.private,
        collection_configs={"cc": package(config)},
    )


async def test_data_not_yet_committed_are_given_by_the_rules_they_came_with(responder, ledger):
    digest = Digest("tx", "cc", "c", 2, 0)
    ledger.transient.put("tx", kept(collection("Org2MSP"), 1, ledger=ledger), 1)
    assert await given(responder, digest, ASKER1) == []
    ((_, sets),) = await given(responder, digest, ASKER2)
    assert len(sets) == 1
    assert await given(responder, digest._replace(tx_id="other"), ASKER2) == []
    assert await given(responder, digest._replace(tx_id=""), ASKER2) == []
    assert await given(responder, digest._replace(collection="d"), ASKER2) == []
    assert await given(responder, digest._replace(namespace="other"), ASKER2) == []


async def test_nobody_opens_a_secret_by_sending_other_rules_for_it(responder, ledger):
    digest = Digest("tx", "cc", "c", 2, 0)
    ledger.transient.put("tx", kept(collection("Org1MSP"), 1, b"secret", ledger), 1)
    bait = kept(collection("Org1MSP", "Org2MSP"), 9, b"bait", ledger)
    ledger.transient.put("tx", bait, 1)
    ((_, sets),) = await given(responder, digest, ASKER2)
    assert [b"bait" in each for each in sets] == [True]
    ((_, sets),) = await given(responder, digest, ASKER1)
    assert len(sets) == 2


def payload(*organizations, **changes):
    fields = {
        "collection_name": "c",
        "namespace": "cc",
        "tx_id": "tx",
        "private_rwset": b"rwset",
        "private_sim_height": 1,
        "collection_configs": package(collection(*(organizations or ("Org1MSP",)))),
    }
    return PrivatePayload(**(fields | changes))


async def test_sent_data_are_kept_with_their_rules(responder, ledger):
    await responder.take(payload(), ASKER2)
    (sets,) = ledger.transient.get("tx")
    (ns,) = sets.pvt_rwset.ns_pvt_rwset
    assert (ns.namespace, ns.collection_pvt_rwset[0].rwset) == ("cc", b"rwset")
    assert sets.collection_configs["cc"] == package(collection("Org1MSP"))


@pytest.mark.parametrize(
    ("sent", "sender"),
    [
        pytest.param(payload("Org2MSP"), ASKER2, id="not for this peer"),
        pytest.param(payload(collection_name="d"), ASKER2, id="rules of another collection"),
        pytest.param(payload(collection_configs=None), ASKER2, id="no rules"),
        pytest.param(payload(private_rwset=b""), ASKER2, id="no data"),
        pytest.param(payload(tx_id=""), ASKER2, id="no transaction"),
        pytest.param(PrivatePayload(), ASKER2, id="nothing"),
        pytest.param(payload(), signed(Consortium(seed=4).peer(1)), id="of a stranger"),
    ],
)
async def test_sent_data_are_refused(responder, ledger, sent, sender):
    with pytest.raises(PushRefused):
        await responder.take(sent, sender)
    assert ledger.transient.get("tx") == []


async def test_nobody_makes_the_store_keep_data_for_ever(responder, ledger):
    await responder.take(payload(private_sim_height=2**64 - 1), ASKER2)
    ledger.transient.purge(ledger.height + 1)
    assert ledger.transient.get("tx") == []
