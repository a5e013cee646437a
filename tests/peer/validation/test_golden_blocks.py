"""The judge of stage A and commit: a real network's blocks give a real peer's verdicts."""

from pathlib import Path

import pytest

from gridloom.common.blocks import transactions_filter
from harness.golden_channel import BLOCKS, GoldenPeer, peer_block, verdicts


@pytest.fixture(params=["memory", "sqlite"])
async def peer(request, tmp_path: Path):
    peer = GoldenPeer("memory" if request.param == "memory" else tmp_path)
    yield peer
    await peer.close()


async def test_every_block_gets_the_codes_and_commit_hash_of_the_real_peer(peer):
    for number in range(1, BLOCKS):
        assert await peer.commit_next() == verdicts()[number], f"block {number}"


async def test_a_restart_after_every_block_changes_no_verdict(peer):
    for number in range(1, BLOCKS):
        await peer.restart()
        assert await peer.commit_next() == verdicts()[number], f"block {number}"


async def test_stored_blocks_carry_the_filter_and_commit_hash_of_the_real_peer(peer):
    await peer.commit_up_to(BLOCKS)
    for number in range(BLOCKS):
        stored, golden = peer.channel.get_block(number), peer_block(number)
        assert transactions_filter(stored) == transactions_filter(golden)
        assert stored.metadata.metadata[4] == golden.metadata.metadata[4]
        assert stored.header == golden.header
        assert stored.data == golden.data


async def test_a_restarted_channel_goes_on_with_the_updated_configuration(peer):
    await peer.commit_up_to(50)
    assert peer.channel.bundle.sequence == 0
    await peer.commit_next()
    before = peer.channel.bundle
    await peer.restart()
    assert before.sequence == peer.channel.bundle.sequence == 1
    assert peer.channel.bundle.orderer.batch_timeout == before.orderer.batch_timeout
    assert peer.channel.bundle.config == before.config
