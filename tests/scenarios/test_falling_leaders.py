"""Orderers in processes of their own, killed while they lead."""

from pathlib import Path

import pytest

from harness.falling_leaders import let_consenters_fall, let_leaders_fall
from harness.network import NetworkProcess


@pytest.mark.network
@pytest.mark.timeout(900)
async def test_no_acknowledged_transaction_is_lost_when_leaders_are_killed(tmp_path: Path) -> None:
    options = ("--processes", "--orderers", "3", "--consensus", "raft")
    with NetworkProcess(tmp_path / "network", *options) as network:
        found = await let_leaders_fall(network.home, 2, clients=3)
    assert found.acknowledged > 0
    assert (found.lost, found.twice) == (0, 0)
    assert found.peers_agree
    assert found.orderers_agree
    assert len(found.elections) == 2


@pytest.mark.network
@pytest.mark.timeout(900)
async def test_nor_when_consenters_that_win_blocks_by_credit_are_killed(tmp_path: Path) -> None:
    options = ("--processes", "--orderers", "3", "--consensus", "poca")
    with NetworkProcess(tmp_path / "network", *options) as network:
        found = await let_consenters_fall(network.home, 2, clients=2)
    assert found.acknowledged > 0
    assert (found.lost, found.twice) == (0, 0)
    assert found.peers_agree
    assert found.orderers_agree
