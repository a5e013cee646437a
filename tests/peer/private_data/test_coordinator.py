"""The private data of a block: at hand, from others, or missing; in virtual time."""

from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from gridloom.common.policies.language import parse
from gridloom.peer.chaincodes.lifecycle.serializer import LifecycleStateError
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.private_data.coordinator import Coordinator
from gridloom.peer.private_data.membership import Membership
from gridloom.peer.private_data.puller import Pulled
from gridloom.protos.peer import transaction_pb2
from gridloom.protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig
from gridloom.protos.peer.proposal_response_pb2 import Endorsement
from harness.consortium import consortium
from harness.gossiping import Unreachable
from harness.ledger import endorsed, golden_block, keep, simulate

PEER1, PEER2 = consortium().peer(1), consortium().peer(2)


def config(name, *organizations):
    members = ",".join(f"'{msp_id}.member'" for msp_id in organizations)
    return StaticCollectionConfig(
        name=name,
        member_orgs_policy=CollectionPolicyConfig(signature_policy=parse(f"OR({members})")),
    )


class Definitions:
    """Knows collections c (of both organisations) and other (of Org2) of chaincode cc."""

    def collection(self, namespace, collection, query):
        if namespace == "broken":
            raise LifecycleStateError("broken", "no definition")
        known = {"c": config("c", "Org1MSP", "Org2MSP"), "other": config("other", "Org2MSP")}
        return known.get(collection) if namespace == "cc" else None


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


class ScriptedPuller:
    """Gives one answer after the other; the last one again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def pull(self, wanted):
        self.asked.append([each.digest for each in wanted])
        self.wanted = list(wanted)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(wanted) if callable(answer) else answer


NOTHING = Pulled(asked=True)


@pytest.fixture
def ledger():
    return LedgerProvider("memory").create(golden_block(0))


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def coordinator(ledger, time):
    bundle = consortium().bundle()

    def make(puller, **options):
        return Coordinator(
            ledger,
            Definitions(),
            Membership(lambda: bundle),
            puller,
            msp_id="Org1MSP",
            identity=PEER1.serialized,
            threshold=60.0,
            clock=lambda: time.now,
            sleep=time.sleep,
            **options,
        )

    return make


def transaction(ledger, *places, tx_id="tx", kept=False, endorsers=(), code=0):
    def work(simulator):
        for namespace, collection in places or [("cc", "c")]:
            simulator.set_private_data(namespace, collection, "k", b"v")

    results = simulate(ledger, work)
    if kept:
        keep(ledger, tx_id, results.private)
    made = endorsed(results.public, tx_id)
    made.code = code
    made.endorsements = tuple(Endorsement(endorser=each.serialized) for each in endorsers)
    return made, results.private.ns_pvt_rwset[0].collection_pvt_rwset[0].rwset


def answer(rwset):
    return lambda wanted: Pulled({wanted[0].digest: [rwset]}, asked=True)


def test_a_block_without_private_writes_needs_nothing(coordinator, ledger):
    public = simulate(ledger, lambda s: s.set_state("cc", "k", b"v")).public
    gathered = coordinator(None).gather(1, [endorsed(public)])
    assert (gathered.rows, gathered.missing, gathered.needs) == ((), (), ())


def test_what_was_kept_is_at_hand(coordinator, ledger):
    made, rwset = transaction(ledger, kept=True)
    gathered = coordinator(None).gather(1, [made])
    assert [row[:4] for row in gathered.rows] == [(0, "cc", "c", rwset)]
    assert not gathered.needs


def test_kept_data_with_another_hash_are_not(coordinator, ledger):
    made, _ = transaction(ledger)
    forged = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", b"forged"))
    keep(ledger, "tx", forged.private)
    gathered = coordinator(None).gather(1, [made])
    assert not gathered.rows
    assert len(gathered.needs) == 1


def test_collections_of_others_are_missing_by_right_even_if_kept(coordinator, ledger):
    made, _ = transaction(ledger, ("cc", "other"), kept=True)
    gathered = coordinator(None).gather(1, [made])
    assert (gathered.rows, gathered.needs) == ([], [])
    assert [(row[:4], row.wanted) for row in gathered.missing] == [((1, 0, "cc", "other"), False)]


@pytest.mark.parametrize("place", [("cc", "nosuch"), ("nosuch", "c"), ("broken", "c")])
def test_collections_nobody_knows_are_passed_over(coordinator, ledger, place):
    made, _ = transaction(ledger, place, kept=True)
    gathered = coordinator(None).gather(1, [made])
    assert (gathered.rows, gathered.missing, gathered.needs) == ([], [], [])


def test_endorsers_that_are_members_are_preferred(coordinator, ledger):
    made, _ = transaction(ledger, endorsers=[PEER2, consortium().orderer()])
    (need,) = coordinator(None).gather(1, [made]).needs
    peer2 = PeerInfo("Org2MSP", "a", PEER2.serialized, Unreachable())
    peer1 = PeerInfo("Org1MSP", "b", PEER1.serialized, Unreachable())
    orderer = PeerInfo("OrdererMSP", "c", consortium().orderer().serialized, Unreachable())
    assert [need.wanted.preferred(each) for each in (peer2, peer1, orderer)] == [True, False, False]


async def test_what_others_give_is_taken_at_once(coordinator, ledger, time):
    made, rwset = transaction(ledger)
    puller = ScriptedPuller(answer(rwset))
    subject = coordinator(puller)
    private = await subject.complete(subject.gather(1, [made]))
    assert [row[:4] for row in private.rows] == [(0, "cc", "c", rwset)]
    assert not private.missing
    assert (time.slept, len(puller.asked)) == ([], 1)
    (digest,) = puller.asked[0]
    assert digest == ("tx", "cc", "c", 1, 0)


async def test_others_are_asked_again_until_the_time_is_up(coordinator, ledger, time):
    made, _ = transaction(ledger)
    puller = ScriptedPuller(NOTHING)
    subject = coordinator(puller)
    private = await subject.complete(subject.gather(1, [made]))
    assert not private.rows
    assert [(row[:4], row.wanted) for row in private.missing] == [((1, 0, "cc", "c"), True)]
    assert time.slept == [1.0] * 60
    assert len(puller.asked) == 61


async def test_what_comes_late_but_in_time_is_taken(coordinator, ledger, time):
    made, rwset = transaction(ledger)
    subject = coordinator(ScriptedPuller(NOTHING, NOTHING, answer(rwset)))
    private = await subject.complete(subject.gather(1, [made]))
    assert len(private.rows) == 1
    assert time.slept == [1.0, 1.0]


async def test_only_what_is_still_missing_is_asked_for_again(coordinator, ledger):
    one, rwset = transaction(ledger, tx_id="one")
    two, _ = transaction(ledger, tx_id="two")
    two.index = 1
    puller = ScriptedPuller(answer(rwset), NOTHING)
    subject = coordinator(puller)
    private = await subject.complete(subject.gather(1, [one, two]))
    assert [len(asked) for asked in puller.asked[:3]] == [2, 1, 1]
    assert [row.tx for row in private.missing] == [1]


async def test_nobody_to_ask_is_not_waited_for(coordinator, ledger, time):
    made, _ = transaction(ledger)
    subject = coordinator(ScriptedPuller(Pulled(asked=False)))
    private = await subject.complete(subject.gather(1, [made]))
    assert len(private.missing) == 1
    assert time.slept == []


async def test_a_wrong_set_is_left_to_the_reconciler(coordinator, ledger, time):
    made, _ = transaction(ledger)
    subject = coordinator(ScriptedPuller(answer(b"forged")))
    private = await subject.complete(subject.gather(1, [made]))
    assert not private.rows
    assert [row.wanted for row in private.missing] == [True]
    assert time.slept == []


async def test_the_right_one_of_several_sets_is_taken(coordinator, ledger):
    made, rwset = transaction(ledger)
    several = lambda wanted: Pulled({wanted[0].digest: [b"forged", rwset]}, asked=True)  # noqa: E731
    subject = coordinator(ScriptedPuller(several))
    private = await subject.complete(subject.gather(1, [made]))
    assert sha256(private.rows[0].rwset).digest() == made.rwset.pvt_hash("cc", "c")


async def test_data_about_to_expire_are_not_missed(coordinator, ledger, time):
    made, _ = transaction(ledger)
    expiring = lambda wanted: Pulled(expiring={wanted[0].digest}, asked=True)  # noqa: E731
    subject = coordinator(ScriptedPuller(expiring))
    private = await subject.complete(subject.gather(1, [made]))
    assert (list(private.rows), list(private.missing), time.slept) == ([], [], [])


@pytest.mark.parametrize(("skip", "asked"), [(True, 0), (False, 61)])
async def test_data_of_invalid_transactions_may_be_left_to_the_reconciler(
    coordinator, ledger, skip, asked
):
    made, _ = transaction(ledger, code=transaction_pb2.ENDORSEMENT_POLICY_FAILURE)
    puller = ScriptedPuller(NOTHING)
    subject = coordinator(puller, skip_invalid=skip)
    private = await subject.complete(subject.gather(1, [made]))
    assert len(puller.asked) == asked
    assert [row.wanted for row in private.missing] == [True]
