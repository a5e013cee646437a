"""What a node does that etcd's traces do not show: limits, reads, refusals, restarts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.orderer.raft import (
    NONE,
    CannotStep,
    ConfChange,
    ConfChangeType,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    InvalidRaftConfig,
    MemoryStorage,
    Message,
    MessageType,
    ProgressState,
    ProposalDropped,
    RaftPanic,
    ReadOnlyOption,
    ReadState,
    Snapshot,
    SnapshotStatus,
    StateType,
)
from harness.raft_voters import FIRST_INDEX, Cluster, new_node, new_storage, to_or_from


def state(cluster: Cluster, id: int) -> StateType:
    return cluster.nodes[id].basic_status.soft_state.raft_state


def test_what_is_proposed_anywhere_is_applied_everywhere() -> None:
    cluster = Cluster(3)
    cluster.elect(1)
    cluster.nodes[2].propose(b"from a follower", b"and another")
    cluster.nodes[1].propose(b"from the leader")
    cluster.pump()
    for id in cluster.nodes:
        assert cluster.data(id) == [b"from the leader", b"from a follower", b"and another"]


def test_a_follower_without_a_leader_campaigns() -> None:
    cluster = Cluster(3)
    for _ in range(10):
        cluster.nodes[2].tick()
    cluster.pump()
    assert state(cluster, 2) is StateType.LEADER


def test_a_leader_without_a_quorum_steps_down() -> None:
    cluster = Cluster(3, check_quorum=True)
    leader = cluster.elect(1)
    for _ in range(20):
        leader.tick()
    cluster.pump(to_or_from(1))
    assert state(cluster, 1) is StateType.FOLLOWER


def test_an_entry_of_an_earlier_term_is_not_committed_by_counting() -> None:
    """Raft, figure 8: it may still be replaced, until one of the leader's own term is on top."""
    storage = new_storage(1, 2, 3)
    storage.append([Entry(term=2, index=2, data=b"old")])
    storage.set_hard_state(HardState(term=2, commit=FIRST_INDEX))
    node = new_node(1, storage)
    node.campaign()
    storage.set_hard_state(HardState(3, 1, FIRST_INDEX))
    node.ready()
    node.advance()
    node.step(Message(MessageType.VOTE_RESP, to=1, from_=2, term=3))
    ready = node.ready()
    storage.append(ready.entries)
    node.advance()
    node.step(Message(MessageType.APP_RESP, to=1, from_=2, term=3, index=2))
    assert node.basic_status.hard_state.commit == FIRST_INDEX
    node.step(Message(MessageType.APP_RESP, to=1, from_=2, term=3, index=3))
    assert node.basic_status.hard_state.commit == 3


# Limits.


def test_appends_are_cut_to_size() -> None:
    cluster = Cluster(3, max_size_per_msg=250)
    leader = cluster.elect(1)
    cluster.sent.clear()
    leader.propose(*(bytes(100) for _ in range(5)))
    cluster.pump()
    assert [len(message.entries) for message in cluster.appends(2)] == [2, 2, 1]
    assert len(cluster.data(3)) == 5


def test_size_zero_means_an_entry_each() -> None:
    cluster = Cluster(3, max_size_per_msg=0)
    leader = cluster.elect(1)
    cluster.sent.clear()
    leader.propose(b"a", b"b", b"c")
    cluster.pump()
    assert [len(message.entries) for message in cluster.appends(2)] == [1, 1, 1]
    assert cluster.data(2) == [b"a", b"b", b"c"]


def test_a_silent_follower_is_sent_no_more_than_its_window() -> None:
    cluster = Cluster(3, max_inflight_msgs=2)
    leader = cluster.elect(1)
    cluster.sent.clear()
    for number in range(5):
        leader.propose(b"%d" % number)
        cluster.pump(to_or_from(3))
    assert len(cluster.appends(3)) == 2
    assert cluster.data(2) == [b"0", b"1", b"2", b"3", b"4"]
    leader.tick()
    cluster.pump()
    assert cluster.data(3) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_window_is_bounded_in_bytes_too() -> None:
    cluster = Cluster(3, max_size_per_msg=100, max_inflight_bytes=150)
    leader = cluster.elect(1)
    cluster.sent.clear()
    for _ in range(5):
        leader.propose(bytes(90))
        cluster.pump(to_or_from(3))
    assert len(cluster.appends(3)) == 2


def test_a_leader_takes_so_much_and_no_more_until_it_commits() -> None:
    cluster = Cluster(3, max_uncommitted_entries_size=100)
    leader = cluster.elect(1)
    leader.propose(bytes(500))
    with pytest.raises(ProposalDropped):
        leader.propose(b"more")
    leader.propose(b"")
    cluster.pump()
    leader.propose(bytes(60))
    with pytest.raises(ProposalDropped):
        leader.propose(bytes(60))


def test_proposals_need_a_leader_and_a_follower_may_keep_them_back() -> None:
    cluster = Cluster(3, disable_proposal_forwarding=True)
    with pytest.raises(ProposalDropped):
        cluster.nodes[2].propose(b"to nobody")
    cluster.nodes[3].campaign()
    with pytest.raises(ProposalDropped):
        cluster.nodes[3].propose(b"to a candidate")
    cluster.pump()
    with pytest.raises(ProposalDropped):
        cluster.nodes[2].propose(b"not passed on")


def test_a_transfer_that_takes_too_long_is_given_up() -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)
    leader.propose(b"what 2 lacks")
    cluster.pump(to_or_from(2))
    leader.transfer_leader(2)
    with pytest.raises(ProposalDropped):
        leader.propose(b"meanwhile")
    for _ in range(10):
        leader.tick()
    cluster.pump(to_or_from(2))
    leader.propose(b"again")
    cluster.pump()
    assert cluster.data(2) == [b"what 2 lacks", b"again"]


# Reads.


def test_a_read_waits_for_a_quorum() -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)
    leader.propose(b"x")
    cluster.pump()
    leader.read_index(b"alone")
    cluster.pump(to_or_from(1))
    assert not cluster.reads[1]
    leader.read_index(b"together")
    cluster.pump()
    commit = leader.basic_status.hard_state.commit
    assert cluster.reads[1] == [ReadState(commit, b"alone"), ReadState(commit, b"together")]


def test_a_followers_read_is_answered_by_the_leader() -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)
    cluster.nodes[2].read_index(b"mine")
    cluster.pump()
    assert cluster.reads[2] == [ReadState(leader.basic_status.hard_state.commit, b"mine")]
    assert not cluster.reads[1]


def test_a_read_waits_for_the_first_commit_of_the_term() -> None:
    cluster = Cluster(3)
    node = cluster.nodes[1]
    node.campaign()
    cluster.pump(lambda message: message.type is MessageType.APP)
    assert state(cluster, 1) is StateType.LEADER
    node.read_index(b"early")
    cluster.pump()
    assert not cluster.reads[1]
    node.tick()
    cluster.pump()
    assert cluster.reads[1] == [ReadState(FIRST_INDEX + 1, b"early")]


def test_one_node_alone_and_a_lease_answer_at_once() -> None:
    lease = ReadOnlyOption.LEASE_BASED
    for cluster in (Cluster(1), Cluster(3, check_quorum=True, read_only_option=lease)):
        cluster.elect(1).read_index(b"now")
        cluster.handle(1)
        assert [read.request_ctx for read in cluster.reads[1]] == [b"now"]


def test_a_read_without_a_leader_is_lost() -> None:
    cluster = Cluster(3)
    cluster.nodes[1].read_index(b"lost")
    cluster.elect(2)
    assert not cluster.reads[1]


# Membership.


def test_a_second_change_waits_until_the_first_is_applied() -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)
    leader.propose_conf_change(ConfChange(ConfChangeType.REMOVE_NODE, 3))
    leader.propose_conf_change(ConfChange(ConfChangeType.REMOVE_NODE, 2))
    cluster.pump()
    assert leader.status.config.voters.ids == {1, 2}
    assert [e.type for e in cluster.applied[1][-2:]] == [EntryType.CONF_CHANGE, EntryType.NORMAL]


def test_a_membership_change_nobody_can_read_is_refused() -> None:
    leader = Cluster(1).elect(1)
    forged = Entry(EntryType.CONF_CHANGE, data=b"\xff")
    with pytest.raises(MalformedMessage):
        leader.step(Message(MessageType.PROP, to=1, from_=1, entries=(forged,)))


def test_a_change_that_cannot_be_made_when_it_is_applied_ends_the_node() -> None:
    leader = Cluster(1).elect(1)
    with pytest.raises(RaftPanic, match="removed all voters"):
        leader.apply_conf_change(ConfChange(ConfChangeType.REMOVE_NODE, 1))


def test_a_new_log_begins_with_its_voters() -> None:
    cluster = Cluster(3)
    for id in cluster.nodes:
        cluster.storages[id] = MemoryStorage()
        cluster.nodes[id] = new_node(id, cluster.storages[id])
        cluster.nodes[id].bootstrap({1: b"one", 2: b"two", 3: b"three"})
    cluster.pump()
    cluster.elect(3).propose(b"x")
    cluster.pump()
    assert cluster.data(1) == [b"x"]
    assert [entry.type for entry in cluster.applied[2][:3]] == [EntryType.CONF_CHANGE] * 3
    with pytest.raises(InvalidRaftConfig):
        cluster.nodes[1].bootstrap({1: b""})
    with pytest.raises(InvalidRaftConfig):
        new_node(1, MemoryStorage()).bootstrap({})


# Snapshots.


def test_a_member_behind_the_log_takes_a_snapshot() -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)
    for number in range(5):
        leader.propose(b"%d" % number)
        cluster.pump(to_or_from(3))
    storage = cluster.storages[1]
    index = leader.basic_status.applied
    storage.create_snapshot(index, ConfState((1, 2, 3)), b"all of it")
    storage.compact(index)
    leader.report_unreachable(3)
    for _ in range(2):
        leader.tick()
        cluster.pump()
    assert cluster.storages[3].snapshot() == storage.snapshot()
    progress = leader.status.progress[3]
    assert (progress.state, progress.match) == (ProgressState.REPLICATE, index)


@pytest.mark.parametrize(
    ("status", "following"), [(SnapshotStatus.FINISH, 6), (SnapshotStatus.FAILURE, 1)]
)
def test_after_a_snapshot_its_member_is_probed(status: SnapshotStatus, following: int) -> None:
    storage = new_storage(1, 2)
    storage.append([Entry(term=1, index=index) for index in range(2, 6)])
    storage.create_snapshot(5, None, b"state")
    storage.compact(5)
    storage.set_hard_state(HardState(1, 1, 5))
    node = new_node(1, storage, applied=5)
    node.campaign()
    storage.set_hard_state(HardState(2, 1, 5))
    node.ready()
    node.advance()
    node.step(Message(MessageType.VOTE_RESP, to=1, from_=2, term=2))
    node.step(Message(MessageType.HEARTBEAT_RESP, to=1, from_=2, term=2))
    rejection = Message(
        MessageType.APP_RESP, to=1, from_=2, term=2, index=5, reject=True, reject_hint=0
    )
    node.step(rejection)
    assert node.status.progress[2].state is ProgressState.SNAPSHOT
    node.report_snapshot(2, status)
    progress = node.status.progress[2]
    assert (progress.state, progress.next) == (ProgressState.PROBE, following)
    assert progress.is_paused
    node.report_snapshot(2, status)
    assert node.status.progress[2].next == following


# Refusals.


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Message(MessageType.HUP, from_=2), id="local"),
        pytest.param(Message(MessageType.STORAGE_APPEND_RESP, from_=2), id="of a storage"),
        pytest.param(Message(MessageType.APP_RESP, from_=9, term=1), id="a stranger's answer"),
        pytest.param(Message(MessageType.PROP, from_=2), id="a proposal of nothing"),
        pytest.param(Message(MessageType.READ_INDEX, from_=2), id="a read without a context"),
        pytest.param(Message(MessageType.HEARTBEAT, from_=1, term=9), id="from oneself"),
        pytest.param(Message(MessageType.APP, from_=NONE, term=9), id="from nobody"),
        pytest.param(
            Message(MessageType.APP, from_=2, term=9, index=1, entries=(Entry(term=9, index=3),)),
            id="a gap",
        ),
        pytest.param(
            Message(MessageType.APP, from_=2, term=9, index=1, entries=(Entry(term=10, index=2),)),
            id="from the future",
        ),
        pytest.param(
            Message(
                MessageType.APP,
                from_=2,
                term=9,
                log_term=5,
                index=1,
                entries=(Entry(term=4, index=2),),
            ),
            id="terms that go back",
        ),
    ],
)
def test_what_no_sound_node_sends_changes_nothing(message: Message) -> None:
    cluster = Cluster(3)
    cluster.elect(2)
    node = cluster.nodes[1]
    before = node.basic_status
    with pytest.raises(CannotStep):
        node.step(replace(message, to=1))
    assert node.basic_status == before
    assert not node.has_ready()


def test_a_wiped_node_that_is_told_to_commit_what_it_lost_stops() -> None:
    node = new_node(3, new_storage(1, 2, 3))
    with pytest.raises(RaftPanic, match="corrupted, truncated, or lost"):
        node.step(Message(MessageType.HEARTBEAT, to=3, from_=1, term=5, commit=90))


def test_a_committed_entry_is_never_replaced() -> None:
    storage = new_storage(1, 2, 3)
    storage.append([Entry(term=1, index=2)])
    storage.set_hard_state(HardState(1, 1, 2))
    node = new_node(3, storage)
    other = (Entry(term=2, index=2),)
    append = Message(
        MessageType.APP, to=3, from_=1, term=2, log_term=1, index=1, entries=other, commit=2
    )
    node.step(append)
    assert node.ready().messages[0].index == 2
    assert storage.term(2) == 1


def test_a_node_restarts_where_it_was() -> None:
    storage = new_storage(1, 2, 3)
    storage.append([Entry(term=4, index=2, data=b"x"), Entry(term=5, index=3)])
    storage.set_hard_state(HardState(term=6, vote=2, commit=2))
    node = new_node(1, storage)
    assert node.basic_status.hard_state == HardState(6, 2, 2)
    ready = node.ready()
    assert [entry.data for entry in ready.committed_entries] == [b"x"]
    assert not ready.entries
    assert not ready.must_sync


def test_a_state_that_does_not_fit_its_log_is_no_state() -> None:
    storage = new_storage(1, 2, 3)
    storage.set_hard_state(HardState(term=6, vote=2, commit=7))
    with pytest.raises(RaftPanic, match="out of range"):
        new_node(1, storage)


def test_a_ready_must_be_handled_before_the_next() -> None:
    node = Cluster(3).nodes[1]
    node.campaign()
    node.ready()
    with pytest.raises(RaftPanic, match="without call to Advance"):
        node.ready()


def test_with_asynchronous_writes_there_is_no_advance() -> None:
    node = new_node(1, new_storage(1), async_storage_writes=True)
    with pytest.raises(RaftPanic, match="AsyncStorageWrites"):
        node.advance()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"id": 0}, "none as id"),
        ({"id": 2**64 - 1}, "local target"),
        ({"heartbeat_tick": 0}, "heartbeat tick"),
        ({"election_tick": 1}, "election tick"),
        ({"max_inflight_msgs": 0}, "max inflight messages"),
        ({"max_size_per_msg": 10, "max_inflight_bytes": 5}, "max inflight bytes"),
        ({"read_only_option": ReadOnlyOption.LEASE_BASED}, "CheckQuorum"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object], reason: str) -> None:
    right: dict[str, object] = {
        "id": 1,
        "election_tick": 10,
        "heartbeat_tick": 1,
        "storage": MemoryStorage(),
        "draw": lambda n: 0,
    }
    with pytest.raises(InvalidRaftConfig, match=reason):
        Config(**{**right, **wrong})  # type: ignore[arg-type]


def test_an_empty_snapshot_is_no_snapshot() -> None:
    node = new_node(3, new_storage(1, 2, 3))
    node.step(Message(MessageType.SNAP, to=3, from_=1, term=5, snapshot=Snapshot()))
    assert node.ready().snapshot is None
