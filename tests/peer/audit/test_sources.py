"""Blocks found in files of every kind that may hold a ledger."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gridloom.common import blocks
from gridloom.common.block_file import encode_block, encode_uvarint
from gridloom.common.file_block_store import FileBlockStore
from gridloom.peer.audit import AuditReport, BlockSources, NoBlocks, audit
from gridloom.protos.common.common_pb2 import Block, BlockHeader
from harness.auditing import golden_blocks, places, said
from harness.consortium import consortium
from harness.golden_channel import BLOCKS, CHANNEL, GoldenPeer, verdicts


def numbers(report: AuditReport) -> list[int | None]:
    return [block.number for block in report.blocks]


def recorded(block: Block) -> bytes:
    body = encode_block(block)
    return encode_uvarint(len(body)) + body


def write_blocks(folder: Path, ledger: Sequence[Block], name: str = "{:03}.pb") -> None:
    folder.mkdir(exist_ok=True)
    for block in ledger:
        (folder / name.format(block.header.number)).write_bytes(block.SerializeToString())


def write_block_file(path: Path, ledger: Sequence[Block]) -> None:
    path.write_bytes(b"".join(map(recorded, ledger)))


@pytest.mark.parametrize("name", ["{:03}.pb", "golden1_{}.block", "{}", "x{:07}-of-channel"])
def test_names_do_not_matter_only_block_numbers(tmp_path, name):
    write_blocks(tmp_path, golden_blocks(12), name)
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [*range(12)]
    assert said(report) == []
    assert report.channel_id == CHANNEL


def test_files_may_be_given_one_by_one_in_any_order(tmp_path):
    write_blocks(tmp_path, golden_blocks(4))
    files = sorted(tmp_path.iterdir(), reverse=True)
    assert numbers(audit(BlockSources(files))) == [0, 1, 2, 3]


def test_block_files_of_an_orderer_or_peer_are_read(tmp_path):
    store = FileBlockStore(tmp_path / "chains" / CHANNEL, sync=False, max_file_size=200_000)
    for block in golden_blocks():
        store.append(block)
    store.close()
    assert len(list((tmp_path / "chains" / CHANNEL).iterdir())) > 2
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [*range(BLOCKS)]
    assert said(report) == []


def test_a_block_file_may_be_given_under_any_name(tmp_path):
    write_block_file(tmp_path / "copy.bin", golden_blocks(3))
    assert numbers(audit(BlockSources([tmp_path / "copy.bin"]))) == [0, 1, 2]
    assert numbers(audit(BlockSources([tmp_path]))) == [0, 1, 2]


async def test_the_ledger_of_our_own_running_peer_is_read(tmp_path):
    peer = GoldenPeer(tmp_path)
    await peer.commit_up_to(20)
    for path in (tmp_path, tmp_path / CHANNEL, tmp_path / CHANNEL / "ledger.db"):
        report = audit(BlockSources([path]))
        assert numbers(report) == [*range(20)]
        assert said(report) == []
        last = report.blocks[-1].recorded_commit_hash or b""
        assert last.hex() == verdicts()[19].commit_hash
    await peer.close()
    assert numbers(audit(BlockSources([tmp_path]))) == [*range(20)]


def test_a_database_that_is_none_is_said(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"no database at all, but long enough to be read" * 9)
    with pytest.raises(NoBlocks, match=r"ledger\.db"):
        BlockSources([tmp_path])


def test_the_hash_before_a_real_peers_snapshot_is_known(tmp_path):
    ledger = golden_blocks(9)
    write_block_file(tmp_path / "blockfile_000000", ledger[6:])
    before = BlockHeader(
        number=5,
        previous_hash=blocks.header_hash(ledger[5].header),
        data_hash=ledger[5].header.previous_hash,
    )
    (tmp_path / "bootstrappingSnapshot.info").write_bytes(before.SerializeToString())
    report = audit(BlockSources([tmp_path]))
    assert [block.chain_ok for block in report.blocks] == [True, True, True]
    before.previous_hash = bytes(32)
    (tmp_path / "bootstrappingSnapshot.info").write_bytes(before.SerializeToString())
    assert places(audit(BlockSources([tmp_path]))) == [(6, None, "chain")]
    (tmp_path / "bootstrappingSnapshot.info").write_bytes(b"\xff")
    assert audit(BlockSources([tmp_path])).blocks[0].chain_ok is None


def test_what_lies_beside_the_blocks_is_left_alone(tmp_path):
    write_blocks(tmp_path, golden_blocks(2))
    (tmp_path / "README.md").write_text("about these blocks")
    (tmp_path / "index.json").write_text("{}")
    (tmp_path / ".hidden").write_bytes(b"\xff")
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "000.json").write_text("{}")
    assert said(audit(BlockSources([tmp_path]))) == []


def test_a_file_that_cannot_be_read_keeps_its_place_by_its_name(tmp_path):
    write_blocks(tmp_path, golden_blocks(6))
    (tmp_path / "003.pb").write_bytes(b"\xff\x00garbage")
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, 2, 3, 4, 5]
    assert places(report)[0] == (3, None, "block")
    assert report.blocks[3].header_hash is None
    assert report.blocks[4].chain_ok is None
    assert report.blocks[5].chain_ok


def test_a_file_of_nothing_stands_at_the_end_without_a_number(tmp_path):
    write_blocks(tmp_path, golden_blocks(3))
    (tmp_path / "empty").write_bytes(b"")
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, 2, None]
    assert places(report) == [(None, None, "block")]


def test_a_truncated_block_still_tells_its_number_and_hash(tmp_path):
    ledger = golden_blocks(5)
    write_blocks(tmp_path, ledger)
    data = ledger[3].SerializeToString()
    (tmp_path / "003.pb").write_bytes(data[: len(data) // 2])
    report = audit(BlockSources([tmp_path]))
    assert report.blocks[3].header_hash == blocks.header_hash(ledger[3].header)
    assert report.blocks[3].chain_ok
    assert report.blocks[4].chain_ok
    assert not report.blocks[3].data_hash_ok
    assert places(report)[0] == (3, None, "block")


def test_damaged_metadata_leave_the_transactions_readable(tmp_path):
    ledger = golden_blocks(3)
    write_blocks(tmp_path, ledger)
    broken = Block(header=ledger[2].header, data=ledger[2].data).SerializeToString()
    (tmp_path / "002.pb").write_bytes(broken + b"\x1a\x05\x0a\x7fabc")
    report = audit(BlockSources([tmp_path]))
    assert [item.code for item in report.blocks[2].transactions] == [0]
    assert report.blocks[2].commit_hash == bytes.fromhex(verdicts()[2].commit_hash)


@pytest.mark.parametrize("lost", [1, 5, 3000])
def test_a_block_file_that_ends_within_a_block_is_said(tmp_path, lost):
    path = tmp_path / "blockfile_000000"
    write_block_file(path, golden_blocks(4))
    path.write_bytes(path.read_bytes()[:-lost])
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, 2, 3]
    assert places(report)[0] == (3, None, "block")
    assert "the file ends within" in str(report.differences[0])


def test_bytes_that_are_no_record_end_a_block_file(tmp_path):
    path = tmp_path / "blockfile_000000"
    write_block_file(path, golden_blocks(2))
    path.write_bytes(path.read_bytes() + b"\xff" * 20)
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, None]
    assert "no block begins here" in str(report.differences[0])


def test_a_broken_record_among_whole_ones_costs_only_itself(tmp_path):
    ledger = golden_blocks(5)
    body = encode_block(ledger[2])
    broken = encode_uvarint(len(body) + 3) + body + b"xyz"
    parts = [recorded(ledger[0]), recorded(ledger[1]), broken, *map(recorded, ledger[3:])]
    (tmp_path / "blockfile_000000").write_bytes(b"".join(parts))
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, 2, 3, 4]
    assert places(report) == [(2, None, "block")]
    assert all(block.chain_ok for block in report.blocks)


def test_blocks_of_a_smaller_channel_stand_behind_and_are_differences(tmp_path):
    write_blocks(tmp_path, golden_blocks(3))
    write_blocks(tmp_path, [consortium().genesis()], "another{}.block")
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 0, 1, 2]
    assert [verdict.chain_ok for verdict in report.blocks] == [True, False, True, True]
    assert any("of channel [mychannel]" in text for text in said(report))


def test_one_stray_block_of_another_channel_is_a_difference(tmp_path):
    write_blocks(tmp_path, golden_blocks(3))
    stray = Block()
    stray.CopyFrom(consortium().genesis())
    stray.header.number = 9
    write_blocks(tmp_path, [stray], "other{}.block")
    report = audit(BlockSources([tmp_path]))
    assert numbers(report) == [0, 1, 2, 9]
    assert any("of channel [mychannel]" in text for text in said(report))


def test_folders_to_choose_from_are_named(tmp_path):
    write_blocks(tmp_path / "peer", golden_blocks(1))
    write_blocks(tmp_path / "orderer", golden_blocks(1))
    with pytest.raises(NoBlocks, match="name one of them: orderer, peer"):
        BlockSources([tmp_path])


def test_an_empty_folder_and_a_missing_path_are_refused(tmp_path):
    with pytest.raises(NoBlocks, match="no blocks here"):
        BlockSources([tmp_path])
    with pytest.raises(NoBlocks, match="no such file"):
        BlockSources([tmp_path / "nowhere"])
