"""Audits that begin with a ledger snapshot: nothing is left open."""

import pytest

from gridloom.peer.audit import BlockSources, audit
from gridloom.peer.ledger.snapshots.errors import SnapshotDamaged
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from harness.auditing import golden_blocks, places, said
from harness.consortium import consortium
from harness.golden_channel import CHANNEL, GoldenPeer, verdicts
from harness.shared import shared
from harness.snapshots import golden_snapshot, take_snapshot


async def snapshot_at(number: int, folder) -> StoredSnapshot:
    peer = GoldenPeer("memory", folder)
    await peer.commit_up_to(number + 1)
    made = take_snapshot(peer.channel.ledger, folder)
    await peer.close()
    return StoredSnapshot.open(made)


@pytest.mark.parametrize("number", [1, 30, 50, 64])
async def test_everything_behind_a_snapshot_is_judged(tmp_path, number):
    snapshot = await snapshot_at(number, tmp_path)
    sources = BlockSources([shared("golden", "blocks", "peer")])
    report = audit(sources, snapshot=snapshot)
    assert said(report) == report.remarks == []
    assert [block.number for block in report.blocks] == [*range(number + 1, 66)]
    for block in report.blocks:
        verdict = verdicts()[block.number]
        assert tuple(item.code for item in block.transactions) == verdict.codes
        assert (block.commit_hash or b"").hex() == verdict.commit_hash
        assert block.chain_ok
        assert block.orderer_signatures_ok


async def test_blocks_between_snapshot_and_ledger_are_missed(tmp_path):
    snapshot = await snapshot_at(30, tmp_path / "snapshots")
    for block in golden_blocks()[33:]:
        (tmp_path / f"{block.header.number}.pb").write_bytes(block.SerializeToString())
    report = audit(BlockSources(sorted(tmp_path.glob("*.pb"))), snapshot=snapshot)
    assert places(report)[0] == (33, None, "block")
    assert "blocks 31 to 32 are missing" in said(report)[0]


def test_a_real_peers_snapshot_at_the_end_leaves_nothing_to_judge():
    sources = BlockSources([shared("golden", "blocks", "peer")])
    assert audit(sources, snapshot=StoredSnapshot.open(golden_snapshot())).blocks == []


def test_a_snapshot_of_another_channel_is_refused(tmp_path):
    (tmp_path / "0").write_bytes(consortium().genesis().SerializeToString())
    with pytest.raises(SnapshotDamaged, match=f"of channel {CHANNEL}, not mychannel"):
        audit(BlockSources([tmp_path]), snapshot=StoredSnapshot.open(golden_snapshot()))
