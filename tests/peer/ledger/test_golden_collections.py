"""The history of collections, as the real peer wrote it into its snapshot."""

import pytest

from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage
from harness.golden_channel import GoldenPeer
from harness.shared import shared


@pytest.fixture(params=["memory", "sqlite"])
async def peer(request, tmp_path):
    peer = GoldenPeer("memory" if request.param == "memory" else tmp_path)
    yield peer
    await peer.close()


def snapshot_entries():
    """Keys and values of confighistory.data: length-prefixed, after a format byte."""
    data = shared("golden", "snapshot", "65", "confighistory.data").read_bytes()
    at, parts = 1, []
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        parts.append(data[at : at + size])
        at += size
    return list(zip(parts[::2], parts[1::2], strict=True))


async def test_the_history_of_collections_is_the_real_peers(peer):
    await peer.commit_up_to(66)
    history = [
        (
            f"slscc\0{row.namespace}~collection".encode()
            + (2**64 - 1 - row.block).to_bytes(8, "big"),
            row.package,
        )
        for row in peer.channel.ledger.collection_history()
    ]
    assert history == snapshot_entries()


async def test_a_definition_counts_from_the_block_after_it(peer):
    await peer.commit_up_to(5)
    ledger = peer.channel.ledger
    assert ledger.collections_below("gold", 3) is None
    row = ledger.collections_below("gold", 4)
    assert row is not None
    assert row.block == 3
    names = [
        config.static_collection_config.name
        for config in CollectionConfigPackage.FromString(row.package).config
    ]
    assert names == ["collBoth", "collOrg1"]
