"""What every block store must do; a store's tests subclass it and say how to open one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gridloom.common.block_store import BlockNotFound, BlockStore, UnexpectedBlock
from gridloom.common.blocks import header_hash, new_block
from gridloom.protos.common import common_pb2


def chain(length: int, *, size: int = 100) -> list[common_pb2.Block]:
    """Linked blocks of number 0 to length-1, each with about ``size`` bytes of data."""
    blocks: list[common_pb2.Block] = []
    previous = b""
    for number in range(length):
        data = [bytes([number % 251, index]) * (size // 4) for index in range(2)]
        blocks.append(new_block(number, previous, data))
        previous = header_hash(blocks[-1].header)
    return blocks


class BlockStoreConformance:
    """Subclasses define ``open_store``: an empty store, closed by the caller."""

    def open_store(self) -> BlockStore:
        raise NotImplementedError

    @pytest.fixture
    def store(self) -> Iterator[BlockStore]:
        store = self.open_store()
        yield store
        store.close()

    def test_an_empty_store_has_no_block(self, store: BlockStore) -> None:
        assert (store.first, store.height) == (0, 0)
        assert list(store.blocks()) == []
        with pytest.raises(BlockNotFound):
            store.get(0)

    def test_blocks_come_back_as_they_were_put_in(self, store: BlockStore) -> None:
        blocks = chain(7)
        for block in blocks:
            store.append(block)
        assert store.height == 7
        assert [store.get(n) for n in range(7)] == blocks
        assert list(store.blocks(3)) == blocks[3:]
        assert list(store.blocks(7)) == []

    def test_iteration_follows_blocks_appended_meanwhile(self, store: BlockStore) -> None:
        blocks = chain(3)
        store.append(blocks[0])
        iterator = store.blocks()
        assert next(iterator) == blocks[0]
        store.append(blocks[1])
        assert next(iterator) == blocks[1]
        assert list(iterator) == []

    @pytest.mark.parametrize("number", [-1, 2, 2**64 - 1])
    def test_a_number_that_is_not_there_is_an_error_with_the_range(
        self, store: BlockStore, number: int
    ) -> None:
        for block in chain(2):
            store.append(block)
        with pytest.raises(BlockNotFound) as caught:
            store.get(number)
        assert (caught.value.number, caught.value.first, caught.value.height) == (number, 0, 2)

    @pytest.mark.parametrize("number", [1, 3])
    def test_a_gap_or_a_second_block_of_a_number_is_refused(
        self, store: BlockStore, number: int
    ) -> None:
        blocks = chain(4)
        for block in blocks[:2]:
            store.append(block)
        with pytest.raises(UnexpectedBlock, match="its number should be 2"):
            store.append(blocks[number])
        assert store.height == 2

    def test_a_block_of_another_chain_is_refused(self, store: BlockStore) -> None:
        blocks = chain(3)
        for block in blocks[:2]:
            store.append(block)
        stranger = new_block(2, b"\x01" * 32, blocks[2].data.data)
        with pytest.raises(UnexpectedBlock, match="previous hash"):
            store.append(stranger)
        store.append(blocks[2])
        assert store.height == 3

    def test_a_first_block_with_a_previous_hash_is_refused(self, store: BlockStore) -> None:
        with pytest.raises(UnexpectedBlock, match="previous hash"):
            store.append(new_block(0, b"\x01" * 32, [b"data"]))

    def test_blocks_can_be_read_while_another_thread_appends(self, store: BlockStore) -> None:
        blocks = chain(200)

        def append_all() -> None:
            for block in blocks:
                store.append(block)

        writer = threading.Thread(target=append_all)
        writer.start()
        seen: list[common_pb2.Block] = []
        while len(seen) < len(blocks):
            seen.extend(store.blocks(len(seen)))
        writer.join()
        assert seen == blocks
