"""The store in Fabric's block files: what survives a crash, and what is reported as damage."""

import os
from pathlib import Path

import pytest

from gridloom.common.block_file import encode_block, encode_uvarint
from gridloom.common.block_store import BlockStoreError
from gridloom.common.blocks import header_hash, new_block
from gridloom.common.file_block_store import CorruptBlockStore, FileBlockStore
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from harness.block_store_conformance import BlockStoreConformance, chain
from harness.shared import shared


class TestFileBlockStore(BlockStoreConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path) -> None:
        self.folder = tmp_path / "chains" / "mychannel"

    def open_store(self) -> FileBlockStore:
        return FileBlockStore(self.folder, sync=False)


def fill(folder: Path, blocks: list[common_pb2.Block], **options) -> None:
    store = FileBlockStore(folder, sync=False, **options)
    for block in blocks:
        store.append(block)
    store.close()


def reopened(folder: Path, **options) -> list[common_pb2.Block]:
    store = FileBlockStore(folder, sync=False, **options)
    blocks = list(store.blocks(store.first))
    store.close()
    return blocks


def record(block: common_pb2.Block) -> bytes:
    body = encode_block(block)
    return encode_uvarint(len(body)) + body


def test_the_real_chain_is_written_as_fabric_writes_it_and_read_again(tmp_path) -> None:
    blocks = [
        parse(common_pb2.Block, path.read_bytes(), "block")
        for path in sorted(shared("golden", "blocks", "peer").glob("*.pb"))
    ]
    fill(tmp_path, blocks)
    assert [path.name for path in tmp_path.iterdir()] == ["blockfile_000000"]
    assert (tmp_path / "blockfile_000000").read_bytes() == b"".join(map(record, blocks))
    assert reopened(tmp_path) == blocks


def test_a_chain_goes_on_after_reopening(tmp_path) -> None:
    blocks = chain(5)
    fill(tmp_path, blocks[:3])
    fill(tmp_path, blocks[3:])
    assert reopened(tmp_path) == blocks


def test_append_returns_only_when_the_disk_has_the_block(tmp_path, monkeypatch) -> None:
    synced = []
    monkeypatch.setattr(
        "gridloom.common.file_block_store._sync_data",
        lambda fd: synced.append((os.fstat(fd).st_size, store.height)),
    )
    store = FileBlockStore(tmp_path)
    blocks = chain(2)
    for block in blocks:
        store.append(block)
    store.close()
    first = len(record(blocks[0]))
    assert synced == [(first, 0), (first + len(record(blocks[1])), 1)]


@pytest.mark.parametrize("size", [1, 250, 600, 10_000])
def test_a_full_file_is_followed_by_the_next(tmp_path, size) -> None:
    blocks = chain(12)
    fill(tmp_path, blocks, max_file_size=size)
    expected: list[bytes] = [b""]
    for block in blocks:
        if len(expected[-1]) + len(record(block)) > size:
            expected.append(b"")
        expected[-1] += record(block)
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == [f"blockfile_{n:06}" for n in range(len(expected))]
    assert [path.read_bytes() for path in files] == expected
    assert reopened(tmp_path, max_file_size=size) == blocks


@pytest.mark.parametrize("size", [10_000, 400])
def test_a_last_block_cut_at_any_byte_is_dropped_and_written_again(tmp_path, size) -> None:
    blocks = chain(4)
    fill(tmp_path, blocks, max_file_size=size)
    last = sorted(tmp_path.iterdir())[-1]
    whole = last.read_bytes()
    start = len(whole) - len(record(blocks[-1]))
    for cut in range(start, len(whole)):
        last.write_bytes(whole[:cut])
        assert reopened(tmp_path, max_file_size=size) == blocks[:-1], cut
        assert last.read_bytes() == whole[:start]
        fill(tmp_path, blocks[-1:], max_file_size=size)
        assert last.read_bytes() == whole


def test_a_first_block_cut_at_any_byte_leaves_an_empty_store(tmp_path) -> None:
    [block] = chain(1)
    for cut in range(len(record(block))):
        (tmp_path / "blockfile_000000").write_bytes(record(block)[:cut])
        assert reopened(tmp_path) == []


@pytest.mark.parametrize("zeros", [1, 7, 5000])
def test_zeros_that_a_crash_left_behind_the_last_block_are_cut_off(tmp_path, zeros) -> None:
    blocks = chain(3)
    fill(tmp_path, blocks)
    file = tmp_path / "blockfile_000000"
    size = file.stat().st_size
    with file.open("ab") as end:
        end.write(bytes(zeros))
    assert reopened(tmp_path) == blocks
    assert file.stat().st_size == size


def test_a_last_block_with_a_sector_never_written_is_cut_off(tmp_path) -> None:
    blocks = chain(3, size=4000)
    fill(tmp_path, blocks)
    file = tmp_path / "blockfile_000000"
    whole = bytearray(file.read_bytes())
    hole = (len(whole) - 1500) // 512 * 512
    whole[hole : hole + 512] = bytes(512)
    file.write_bytes(whole)
    assert reopened(tmp_path) == blocks[:-1]


def test_a_changed_byte_in_the_last_block_is_damage_and_nothing_is_cut(tmp_path) -> None:
    blocks = chain(3)
    fill(tmp_path, blocks)
    file = tmp_path / "blockfile_000000"
    whole = bytearray(file.read_bytes())
    whole[-40] ^= 1
    file.write_bytes(whole)
    with pytest.raises(CorruptBlockStore, match="the data of block 2") as caught:
        FileBlockStore(tmp_path)
    assert caught.value.path == file
    assert file.read_bytes() == bytes(whole)


def test_a_changed_byte_anywhere_before_is_never_taken_for_a_torn_write(tmp_path) -> None:
    """Found at opening (lengths, numbers) or when the block is read: never cut, never silent."""
    blocks = chain(4, size=40)
    fill(tmp_path, blocks)
    file = tmp_path / "blockfile_000000"
    whole = file.read_bytes()
    for position in range(len(whole) - len(record(blocks[3]))):
        damaged = bytearray(whole)
        damaged[position] ^= 0x80
        file.write_bytes(damaged)
        try:
            found = reopened(tmp_path)
        except BlockStoreError:
            found = None
        assert file.stat().st_size == len(whole), position
        if found is not None:  # only what no hash of the block itself covers
            different = [n for n in range(4) if found[n] != blocks[n]]
            assert all(
                found[n].data == blocks[n].data
                and found[n].header.data_hash == blocks[n].header.data_hash
                for n in different
            ), position


def test_a_cut_in_a_file_that_others_follow_is_damage(tmp_path) -> None:
    blocks = chain(6)
    fill(tmp_path, blocks, max_file_size=400)
    file = tmp_path / "blockfile_000001"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(CorruptBlockStore, match="a later file follows"):
        FileBlockStore(tmp_path)


def test_a_missing_or_misnamed_file_is_damage(tmp_path) -> None:
    fill(tmp_path, chain(6), max_file_size=400)
    (tmp_path / "blockfile_000001").unlink()
    with pytest.raises(CorruptBlockStore, match="missing"):
        FileBlockStore(tmp_path)
    (tmp_path / "blockfile_000001x").touch()
    with pytest.raises(CorruptBlockStore, match="ends in its number"):
        FileBlockStore(tmp_path)


def test_blocks_of_another_chain_spliced_in_are_damage(tmp_path) -> None:
    blocks = chain(3)
    stranger = new_block(3, header_hash(blocks[1].header), [b"data"])
    (tmp_path / "blockfile_000000").write_bytes(b"".join(map(record, [*blocks, stranger])))
    with pytest.raises(CorruptBlockStore, match="does not name the hash of the one before"):
        FileBlockStore(tmp_path)


def test_a_chain_that_began_with_a_snapshot_is_read_from_its_first_block(tmp_path) -> None:
    blocks = chain(9)
    (tmp_path / "blockfile_000000").write_bytes(b"".join(map(record, blocks[5:8])))
    store = FileBlockStore(tmp_path, sync=False)
    assert (store.first, store.height) == (5, 8)
    store.append(blocks[8])
    assert list(store.blocks(5)) == blocks[5:]
    store.close()


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch) -> None:
    blocks = chain(3)
    store = FileBlockStore(tmp_path)
    store.append(blocks[0])
    before = (tmp_path / "blockfile_000000").read_bytes()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("gridloom.common.file_block_store._sync_data", full)
        with pytest.raises(BlockStoreError, match="No space left"):
            store.append(blocks[1])
    assert (tmp_path / "blockfile_000000").read_bytes() == before
    store.append(blocks[1])
    assert list(store.blocks()) == blocks[:2]
    store.close()


def test_only_a_bounded_amount_of_recent_blocks_is_kept_in_memory(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gridloom.common.file_block_store.CACHE_BYTES", 700)
    store = FileBlockStore(tmp_path, sync=False)
    blocks = chain(10)
    for block in blocks:
        store.append(block)
    assert store.get(9) is blocks[9]
    assert store.get(0) is not blocks[0]
    assert store.get(0) == blocks[0]
    store.close()
