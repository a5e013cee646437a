"""Who is a consenter, with which id, and which changes are allowed."""

import itertools

import pytest

from gridloom.orderer.etcdraft.membership import (
    ChangeKind,
    Membership,
    QuorumLoss,
    missing_change,
)
from gridloom.orderer.etcdraft.metadata import (
    Consenter,
    InvalidConsenters,
    Options,
    RaftConfig,
    read_block_metadata,
    read_config,
    write_config,
)


def consenter(name: str, port: int = 7055) -> Consenter:
    return Consenter("host", port, f"{name} client".encode(), f"{name} server".encode())


A, B, C, D, E = (consenter(name) for name in "abcde")
THREE = Membership.first([A, B, C])


def test_ids_are_given_in_the_order_of_the_configuration() -> None:
    assert (THREE.ids, THREE.next_id) == ((1, 2, 3), 4)


def test_a_block_tells_the_ids() -> None:
    change = THREE.change_to([A, C]).after.change_to([D, A, C])
    metadata = read_block_metadata(change.after.metadata(77))
    assert metadata is not None
    assert list(metadata.consenter_ids) == [4, 1, 3]
    assert (metadata.next_consenter_id, metadata.raft_index) == (5, 77)
    assert Membership.read(metadata, [D, A, C]) == change.after


def test_a_block_that_tells_another_number_of_ids_is_refused() -> None:
    metadata = read_block_metadata(THREE.metadata(1))
    with pytest.raises(InvalidConsenters, match="3 Raft ids, the configuration 2 consenters"):
        Membership.read(metadata, [A, B])


@pytest.mark.parametrize(
    ("consenters", "kind", "node_id", "ids"),
    [
        ([A, B, C], ChangeKind.NONE, 0, (1, 2, 3)),
        ([C, A, B], ChangeKind.NONE, 0, (3, 1, 2)),
        ([A, B, C, D], ChangeKind.ADD, 4, (1, 2, 3, 4)),
        ([A, C], ChangeKind.REMOVE, 2, (1, 3)),
        ([A, D, C], ChangeKind.ROTATE, 2, (1, 2, 3)),
    ],
)
def test_one_change_at_a_time(
    consenters: list[Consenter], kind: ChangeKind, node_id: int, ids: tuple[int, ...]
) -> None:
    change = THREE.change_to(consenters)
    assert (change.kind, change.node_id, change.after.ids) == (kind, node_id, ids)


@pytest.mark.parametrize("consenters", [[A, B, C, D, E], [A], [A, D, E], [A, D]])
def test_more_than_one_change_is_refused(consenters: list[Consenter]) -> None:
    with pytest.raises(InvalidConsenters, match="more than one consenter at a time"):
        THREE.change_to(consenters)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_a_change_needs_a_living_majority_afterwards(size: int) -> None:
    """Compared with counting: a majority of the new members is alive, or nothing could be done."""
    everybody = [consenter(str(number)) for number in range(size)]
    membership = Membership.first(everybody)
    changes = [membership.change_to([*everybody, A])]
    if size > 1:
        changes += [membership.change_to(everybody[1:])]
    changes += [membership.change_to([A, *everybody[1:]])]
    for change, count in itertools.product(changes, range(size + 1)):
        for active in itertools.combinations(membership.ids, count):
            staying = [n for n in active if n in change.after.ids and n != change.node_id]
            too_few = len(staying) < len(change.after.ids) // 2 + 1
            inevitable = change.kind is not ChangeKind.REMOVE and len(change.after.ids) <= 2
            if too_few and not inevitable:
                with pytest.raises(QuorumLoss) as caught:
                    change.check_quorum(active)
                assert (caught.value.alive, caught.value.members) == (count, size)
            else:
                change.check_quorum(active)


def test_a_change_that_raft_has_not_made_yet_is_found() -> None:
    assert missing_change(THREE, (1, 2, 3)) is None
    assert missing_change(THREE, (1, 2)) == (ChangeKind.ADD, 3)
    assert missing_change(THREE, (1, 2, 3, 4)) == (ChangeKind.REMOVE, 4)


def test_the_configuration_is_read_as_it_was_written() -> None:
    config = RaftConfig((A, B), Options(election_tick=20, max_inflight_blocks=7))
    assert read_config(write_config(config)) == config


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (RaftConfig((), Options()), "empty consenter set"),
        (RaftConfig((A, A), Options()), "another one's certificate"),
        (RaftConfig((A,), Options(election_tick=1)), "must be greater than HeartbeatTick"),
        (RaftConfig((A,), Options(max_inflight_blocks=0)), "can be zero"),
        (RaftConfig((A,), Options(tick_interval=0 * Options().tick_interval)), "cannot be zero"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(config: RaftConfig, reason: str) -> None:
    with pytest.raises(InvalidConsenters, match=reason):
        read_config(write_config(config))
