"""A ledger that is read while another process commits to it: another connection here."""

from contextlib import closing

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.followed_ledger import FollowedLedger
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.sqlite import SqliteStore
from harness.ledger import commit, endorsed, simulate, write


@pytest.fixture
def pair(tmp_path):
    """A ledger that is written, with one block, and the same followed."""
    file = tmp_path / "ledger.db"
    with closing(Ledger("test", SqliteStore(file))) as written:
        commit(written, [])
        followed = FollowedLedger("test", SqliteStore(file, writable=False))
        with closing(followed):
            yield written, followed


def value(ledger, key):
    simulator = ledger.simulator("reading")
    try:
        return simulator.get_state("cc", key)
    finally:
        simulator.done()


def test_what_was_committed_is_there_once_followed(pair):
    written, followed = pair
    followed.follow()
    assert value(followed, "lamp") is None
    assert not followed.has_transaction("tx1")
    write(written, ("lamp", b"brass"), tx_id="tx1")
    assert (followed.height, value(followed, "lamp")) == (1, None)
    assert followed.follow()
    assert (followed.height, value(followed, "lamp")) == (2, b"brass")
    assert followed.has_transaction("tx1")
    assert not followed.follow()


def test_a_simulation_keeps_the_state_it_began_with(pair):
    written, followed = pair
    write(written, ("lamp", b"brass"))
    followed.follow()
    simulator = followed.simulator("slow")
    write(written, ("lamp", b"copper"))
    followed.follow()
    assert simulator.get_state("cc", "lamp") == b"brass"
    simulator.done()
    assert value(followed, "lamp") == b"copper"


def test_what_was_remembered_of_a_namespace_is_old_once_a_block_has_changed_it(pair):
    written, followed = pair

    def seen():
        followed.follow()
        return followed.changed_at("cc"), followed.changed_at("other"), followed.changed_at("c")

    stages = [seen()]
    for work in (
        lambda simulator: simulator.set_state("cc", "lamp", b"brass"),
        lambda simulator: simulator.set_state("cc", "lamp", b"tin"),
        lambda simulator: simulator.set_private_data("cc", "secrets", "lamp", b"tin"),
        lambda simulator: simulator.delete_state("cc", "lamp"),
    ):
        commit(written, [endorsed(simulate(written, work).public)])
        stages.append(seen())
    assert len({cc for cc, _, _ in stages}) == len(stages)
    assert {rest for _, *rest in stages for rest in rest} == {0}


def test_metadata_that_another_process_wrote_are_not_overlooked(pair):
    written, followed = pair
    write(written, ("lamp", b"brass"))
    followed.follow()
    with closing(followed.snapshot()) as before:
        assert not before.has_metadata("cc")

    def work(simulator):
        simulator.get_state("cc", "lamp")
        simulator.set_state_metadata("cc", "lamp", {"VALIDATION_PARAMETER": b"policy"})

    commit(written, [endorsed(simulate(written, work).public)])
    followed.follow()
    with closing(followed.snapshot()) as after:
        assert after.has_metadata("cc")


def test_the_chain_is_described_as_it_is(pair):
    written, followed = pair
    write(written, ("lamp", b"brass"))
    followed.follow()
    assert followed.info() == written.info()
    assert followed.block(1) == written.block(1)


def test_nobody_who_rests_stands_in_the_way_of_emptying_the_log(pair, tmp_path):
    """Purged data are gone from SQLite's log as soon as no reader needs it."""
    written, followed = pair
    followed.follow()
    value(followed, "lamp")
    write(written, ("lamp", b"brass"))
    store = written._store
    store.holds_purged = True
    write(written, ("lamp", b"copper"))
    assert store.holds_purged  # the state that was read is still open
    followed.rest()
    write(written, ("lamp", b"tin"))
    assert not store.holds_purged
    assert (tmp_path / "ledger.db-wal").stat().st_size == 0


def test_it_writes_nothing(pair):
    _, followed = pair
    with pytest.raises(StoreFailed, match="opened to look on only"):
        write(followed, ("lamp", b"brass"))
