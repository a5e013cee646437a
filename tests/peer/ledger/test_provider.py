"""Creating, opening and listing ledgers."""

import pytest

from gridloom.common import blocks
from gridloom.peer.ledger.errors import BlockRejected, LedgerExists, LedgerNotFound, StoreFailed
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.protos.common import common_pb2
from harness.ledger import golden_block


@pytest.fixture(params=["memory", "sqlite"])
def provider(request, tmp_path):
    provider = LedgerProvider("memory" if request.param == "memory" else tmp_path)
    yield provider
    provider.close()


def test_a_genesis_block_makes_a_ledger_of_its_channel(provider):
    ledger = provider.create(golden_block(0, "orderer"))
    assert (ledger.channel_id, ledger.height) == ("golden1", 1)
    assert ledger.block(0) == golden_block(0)
    assert ledger.commit_hash == b""
    assert provider.list() == ["golden1"]
    assert provider.open("golden1") is ledger


def test_a_channel_is_joined_once(provider):
    provider.create(golden_block(0))
    with pytest.raises(LedgerExists, match=r"ledger \[golden1\] already exists with state \[ACTI"):
        provider.create(golden_block(0))
    assert provider.open("golden1").height == 1


@pytest.mark.parametrize("channel_id", ["golden1", "", "../golden1", "a/b", "x" * 300, "\x00"])
def test_an_unknown_channel_is_not_there(provider, channel_id):
    with pytest.raises(LedgerNotFound, match="does not exist"):
        provider.open(channel_id)
    assert provider.list() == []


def test_ledgers_are_found_again(tmp_path):
    first = LedgerProvider(str(tmp_path))
    first.create(golden_block(0))
    first.close()
    again = LedgerProvider(tmp_path)
    assert again.list() == ["golden1"]
    with pytest.raises(LedgerExists):
        again.create(golden_block(0))
    assert again.open("golden1").block(0) == golden_block(0)
    again.close()


def test_a_creation_that_broke_off_leaves_no_ledger(tmp_path, monkeypatch):
    def fail(self, record):
        raise StoreFailed("here", "disk full")

    provider = LedgerProvider(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "committing", fail)
        with pytest.raises(StoreFailed, match="disk full"):
            provider.create(golden_block(0))
    assert provider.list() == []
    with pytest.raises(LedgerNotFound):
        provider.open("golden1")
    assert provider.create(golden_block(0)).height == 1
    provider.close()


def spoilt(change):
    block = golden_block(0)
    change(block)
    return block


def changed_header(**values):
    """The golden genesis block with another channel header."""
    block = golden_block(0)
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    for name, value in values.items():
        setattr(header, name, value)
    payload.header.channel_header = header.SerializeToString()
    envelope.payload = payload.SerializeToString()
    return blocks.new_block(0, b"", [envelope.SerializeToString()])


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (common_pb2.Block(), "out of bounds"),
        (golden_block(1), "not a genesis block|not the first block"),
        (golden_block(50), "not the first block"),
        (spoilt(lambda b: b.data.data.append(b"more")), "has 2 transactions instead of one"),
        (blocks.new_block(0, b"", [b"\xff"]), "not a genesis block: envelope"),
        (blocks.new_block(0, b"", [b""]), "not a configuration"),
        (changed_header(type=common_pb2.ENDORSER_TRANSACTION), "not a configuration"),
        (changed_header(channel_id="../../etc"), "'../../etc' is no channel id"),
        (changed_header(channel_id=""), "'' is no channel id"),
    ],
)
def test_only_a_genesis_block_makes_a_ledger(tmp_path, block, reason):
    provider = LedgerProvider(tmp_path / "ledgers")
    with pytest.raises(BlockRejected, match=reason):
        provider.create(block)
    assert provider.list() == []
    assert not (tmp_path / "ledgers").exists()
