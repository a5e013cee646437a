"""Snapshots of the golden channel, made by our own peer."""

import asyncio

import pytest

from gridloom.peer.ledger.snapshots.export import snapshot_folder
from harness.golden_channel import GoldenPeer
from harness.snapshots import wait_for_snapshots


@pytest.fixture(scope="session")
def taken(tmp_path_factory):
    """Folders of the snapshots of blocks 0, 3, 30, 48 and 65 by block number."""
    root = tmp_path_factory.mktemp("snapshots")
    numbers = (0, 3, 30, 48, 65)

    async def replay():
        peer = GoldenPeer("memory", root)
        ledger = peer.channel.ledger
        for number in numbers:
            ledger.request_snapshot(number)
        await peer.commit_up_to(66)
        wait_for_snapshots(ledger)
        await peer.close()

    asyncio.run(replay())
    return {number: snapshot_folder(root, "golden1", number) for number in numbers}
