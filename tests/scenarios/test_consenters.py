"""Consenters of a running network are changed by its administrators' commands."""

import json
import time
from pathlib import Path

import pytest

from gridloom.deploy.home import NetworkHome
from harness.network import NetworkProcess, gridloom

THIRD = "orderer3.example.com"
LIMIT = 120.0


def command(folder: Path, *arguments: str) -> str:
    done = gridloom(*arguments, folder=folder, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def until_relation(folder: Path, relation: str) -> None:
    """Wait until the third orderer is this to the channel."""
    end = time.monotonic() + LIMIT
    while f", {relation}, active" not in (
        shown := next(
            line
            for line in command(folder, "channel", "info").splitlines()
            if line.startswith(THIRD)
        )
    ):
        assert time.monotonic() < end, shown
        time.sleep(0.5)


@pytest.mark.network
def test_a_consenter_leaves_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "network"
    with NetworkProcess(folder, "--orderers", "3"):
        node = NetworkHome(folder).topology().orderers()[2]
        assert node.name == THIRD
        until_relation(folder, "consenter")
        change = ("channel", "config")
        command(folder, *change, "remove-consenter", node.cluster_endpoint)
        until_relation(folder, "follower")
        certificate = folder / f"organizations/ordererOrganizations/example.com/orderers/{THIRD}"
        tls = str(certificate / "tls/server.crt")
        command(folder, *change, "add-consenter", node.cluster_endpoint, "--certificate", tls)
        until_relation(folder, "consenter")
        again = gridloom(
            *change, "add-consenter", node.cluster_endpoint, "--certificate", tls, folder=folder
        )
        assert again.returncode == 1
        assert "has a consenter" in again.stderr
        state = json.loads((folder / "network.json").read_text())
        assert len(state["orderers"]) == 3
