"""Looking again for missing private data: what, how much at once, and how often; virtual time."""

import asyncio

import pytest

from gridloom.common.policies.language import parse
from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.store import MissingRow
from gridloom.peer.private_data.puller import Pulled
from gridloom.peer.private_data.reconciler import Reconciler, ReconcilerOptions
from gridloom.protos.peer.collection_pb2 import CollectionPolicyConfig, StaticCollectionConfig


class Ledger:
    """Misses the given blocks' data, one transaction each."""

    def __init__(self, *blocks):
        self.height = 100
        self.rows = {0: [MissingRow(block, 0, "cc", "c", True) for block in blocks], 1: []}
        self.refuse = False
        self.failure = None

    def missing(self, blocks, below, *, unavailable=False):
        if self.failure is not None:
            raise self.failure
        rows = sorted((r for r in self.rows[unavailable] if r.block < below), reverse=True)
        return rows[:blocks]

    def reconcile(self, found, unavailable):
        came = set() if self.refuse else {each.block for each in found}
        for group in self.rows.values():
            group[:] = [row for row in group if row.block not in came]
        for row in unavailable:
            if row in self.rows[0]:
                self.rows[0].remove(row)
                self.rows[1].append(row)
        return list(found) if self.refuse else []


class Configs:
    """Knows collection c, as it is and was, unless told to forget it."""

    def __init__(self):
        policy = CollectionPolicyConfig(signature_policy=parse("OR('Org1MSP.member')"))
        self.config = StaticCollectionConfig(name="c", member_orgs_policy=policy)

    def now(self, namespace, collection):
        return self.config

    def before(self, namespace, collection, block):
        return self.config


class Puller:
    """Has the data of some blocks; answers for all while somebody is there."""

    def __init__(self, *blocks):
        self.blocks = set(blocks)
        self.reachable = True
        self.asked = []

    async def pull(self, wanted):
        digests = [each.digest for each in wanted]
        self.asked.append([digest.block for digest in digests])
        if not self.reachable:
            return Pulled(asked=True)
        found = {digest: [b"set"] for digest in digests if digest.block in self.blocks}
        return Pulled(found, set(), set(digests), asked=True)


class Time:
    def __init__(self):
        self.now = 0.0
        self.slept = []
        self.limit = 3

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) > self.limit:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


@pytest.fixture
def time():
    return Time()


def reconciler(ledger, puller, time, configs=None, **options):
    return Reconciler(
        ledger,
        configs or Configs(),
        None,
        puller,
        ReconcilerOptions(**options),
        clock=lambda: time.now,
        sleep=time.sleep,
    )


async def test_the_newest_blocks_come_first_a_batch_at_a_time(time):
    ledger, puller = Ledger(1, 2, 3, 4, 5), Puller(1, 2, 3, 4, 5)
    assert await reconciler(ledger, puller, time, batch=2).reconcile() == 5
    assert puller.asked == [[5, 4], [3, 2], [1]]
    assert ledger.rows[0] == []


async def test_digests_of_old_data_name_their_place_only(time):
    ledger, puller = Ledger(1), Puller(1)
    seen = []
    pull = puller.pull
    puller.pull = lambda wanted: seen.extend(each.digest for each in wanted) or pull(wanted)
    await reconciler(ledger, puller, time).reconcile()
    assert seen == [("", "cc", "c", 1, 0)]


async def test_what_nobody_has_is_asked_for_once_an_hour(time):
    ledger, puller = Ledger(1, 2), Puller(2)
    subject = reconciler(ledger, puller, time)
    assert await subject.reconcile() == 1
    assert [row.block for row in ledger.rows[1]] == [1]
    assert await subject.reconcile() == 0
    assert len(puller.asked) == 1
    puller.blocks.add(1)
    time.now = 3600.0
    assert await subject.reconcile() == 1
    assert ledger.rows[1] == []


async def test_unanswered_questions_are_asked_again_next_time(time):
    ledger, puller = Ledger(1), Puller(1)
    puller.reachable = False
    subject = reconciler(ledger, puller, time)
    assert await subject.reconcile() == 0
    assert len(ledger.rows[0]) == 1
    puller.reachable = True
    assert await subject.reconcile() == 1


async def test_refused_data_do_not_make_it_ask_for_ever(time):
    ledger, puller = Ledger(1, 2), Puller(1, 2)
    ledger.refuse = True
    assert await reconciler(ledger, puller, time, batch=1).reconcile() == 0
    assert puller.asked == [[2], [1]]


async def test_collections_nobody_knows_are_not_asked_for(time):
    configs = Configs()
    configs.config = None
    puller = Puller(1)
    assert await reconciler(Ledger(1), puller, time, configs).reconcile() == 0
    assert puller.asked == [[]]


async def test_it_runs_every_minute_by_default(time):
    ledger, puller = Ledger(1), Puller(1)
    with pytest.raises(asyncio.CancelledError):
        await reconciler(ledger, puller, time).run()
    assert time.slept == [60.0] * 4
    assert ledger.rows[0] == []


async def test_a_failure_does_not_end_it(time, caplog):
    ledger, puller = Ledger(1), Puller(1)
    ledger.failure = StoreFailed("disk", "full")
    with pytest.raises(asyncio.CancelledError):
        await reconciler(ledger, puller, time).run()
    assert "private data could not be reconciled" in caplog.text
    assert len(time.slept) == 4
