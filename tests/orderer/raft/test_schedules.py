"""Two thousand groups under random schedules: none ever breaks a property of Raft, all agree
once they are healed.  And broken ones are found out."""

from __future__ import annotations

import pytest

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import MessageType, leader, read_index, state
from gridloom.orderer.raft.log import RaftLog
from gridloom.orderer.raft.read_only import ReadRequest
from harness.raft_group import Disk
from harness.raft_schedule import Schedule

SEEDS = 2000
BLOCK = 100
STEPS = 900


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_whatever_happens_the_group_is_safe_and_agrees_in_the_end(first: int) -> None:
    for seed in range(first, first + BLOCK):
        try:
            Schedule(seed).run(STEPS)
        except Exception as error:
            raise AssertionError(f"seed {seed}: Schedule({seed}).run({STEPS})") from error


def test_a_seed_gives_the_same_schedule_every_time() -> None:
    once, again = Schedule(7), Schedule(7)
    once.run(STEPS)
    again.run(STEPS)
    assert vars(once.safety) == vars(again.safety)


def test_schedules_have_in_them_what_they_are_about() -> None:
    """Leaders change, entries commit, snapshots are installed, members change, reads are served."""
    seen = {"leaders": 0, "committed": 0, "snapshots": 0, "changes": 0, "reads": 0, "crashes": 0}
    for seed in range(40):
        schedule = Schedule(seed)
        schedule.run(STEPS)
        for key, count in schedule.counts().items():
            seen[key] += count
    assert seen["leaders"] > 80
    assert seen["committed"] > 400
    assert min(seen.values()) > 10, seen


def found_out(limit: int = 400) -> bool:
    """Whether some seed shows a breach of safety."""
    for seed in range(limit):
        try:
            Schedule(seed).run(STEPS)
        except GridloomError:
            return True
        except AssertionError:
            continue
    return False


def test_a_disk_that_forgets_votes_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "forgetful", True)
    assert found_out()


def test_a_vote_for_a_shorter_log_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RaftLog, "is_up_to_date", lambda log, index, term: True)
    assert found_out()


def test_an_append_acknowledged_before_it_is_written_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send(raft: state.Raft, type: MessageType, to: int, **fields: object) -> None:
        plain(raft, type, to, **fields)  # type: ignore[arg-type]
        if type is MessageType.APP_RESP and to != raft.id:
            raft.messages.append(raft.messages_after_append.pop())

    plain = state.Raft.send
    monkeypatch.setattr(state.Raft, "send", send)
    assert found_out()


def test_a_read_that_asks_nobody_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        leader,
        "handle_read_index",
        lambda raft, message: read_index._answer(raft, ReadRequest(message, raft.log.committed)),
    )
    assert found_out()
