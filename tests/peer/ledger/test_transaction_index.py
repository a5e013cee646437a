"""Ids that no block holds are looked up once, and found as soon as a block has them."""

import pytest

from gridloom.peer.ledger import transaction_index
from gridloom.peer.ledger.store import TransactionRow
from gridloom.peer.ledger.transaction_index import TransactionIndex

ROW = TransactionRow(block=1, tx=0, code=0)


class Blocks:
    """A ledger's transactions, whose look-ups are counted; ``during`` runs amid one."""

    def __init__(self) -> None:
        self.rows: dict[str, TransactionRow] = {}
        self.asked: list[str] = []
        self.during = lambda: None

    def transaction(self, tx_id: str) -> TransactionRow | None:
        self.asked.append(tx_id)
        found = self.rows.get(tx_id)
        self.during()
        return found

    def known_transactions(self, tx_ids: list[str]) -> set[str]:
        self.asked += tx_ids
        return self.rows.keys() & set(tx_ids)


@pytest.fixture
def blocks() -> Blocks:
    return Blocks()


@pytest.fixture
def index(blocks: Blocks) -> TransactionIndex:
    return TransactionIndex(blocks, blocks)


def test_an_absent_id_is_looked_up_once(blocks, index):
    assert [index.find("a"), index.find("a")] == [None, None]
    assert index.known(["a"]) == set()
    assert blocks.asked == ["a"]


def test_once_a_block_has_it_it_is_found(blocks, index):
    index.find("a")
    blocks.rows["a"] = ROW
    index.added(["a"])
    assert index.find("a") == ROW
    assert index.known(["a", "b"]) == {"a"}


def test_an_id_that_comes_while_it_is_looked_up_is_not_taken_for_absent(blocks, index):
    def commit() -> None:
        blocks.rows["a"] = ROW
        index.added(["a"])

    blocks.during = commit
    assert index.find("a") is None
    blocks.during = lambda: None
    assert index.find("a") == ROW


def test_it_remembers_no_more_than_its_share(blocks, index, monkeypatch):
    monkeypatch.setattr(transaction_index, "MOST_REMEMBERED", 2)
    for tx_id in "abcabc":
        assert index.find(tx_id) is None
    assert len(blocks.asked) > 3
