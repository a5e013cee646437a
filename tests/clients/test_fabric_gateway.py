"""The official npm client on our network: one item for each check of ``checks.mjs``.

@hyperledger/fabric-gateway is a dependency of ``tests/clients/fabric_gateway``; ``./run test``
installs it there, with the Node.js it wants.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from harness.network import PROBE, NetworkProcess, gridloom

CLIENT = Path(__file__).parent / "fabric_gateway"
NODE = CLIENT / "node_modules" / ".bin" / "node"
SOURCE = (CLIENT / "checks.mjs").read_text()
CHECKS = re.findall(r"^    async (\w+)\(\) \{$", SOURCE, re.MULTILINE)


def run_checks(folder, *options):
    """Return what each check reported, by name."""
    assert NODE.exists(), f"{NODE} is missing: run ./run test, or npm ci in {CLIENT}"
    with NetworkProcess(folder, *options) as network:
        deployed = gridloom("chaincode", "deploy", PROBE, folder=network.home.path)
        assert deployed.returncode == 0, deployed.stderr
        finished = subprocess.run(
            [NODE, CLIENT / "checks.mjs", network.home.path / "network.json", "probe"],
            cwd=CLIENT,
            capture_output=True,
            text=True,
            timeout=45,
            check=False,
        )
    assert finished.returncode == 0, finished.stderr
    return {line["check"]: line for line in map(json.loads, finished.stdout.splitlines())}


def test_every_kind_of_call_is_checked():
    assert len(CHECKS) == 14
    assert {"evaluate", "submit", "submitAsyncWithStatus", "transientData", "offlineSigning",
            "chaincodeEvents", "blockEvents", "endorsementFailureWithDetails",
            "mvccConflict"} <= set(CHECKS)  # fmt: skip


@pytest.mark.network
class TestOneProcess:
    """All nodes in one process."""

    options = ()

    @pytest.fixture(scope="class")
    @classmethod
    def reports(cls, tmp_path_factory):
        return run_checks(tmp_path_factory.mktemp("network") / "home", *cls.options)

    @pytest.mark.parametrize("check", CHECKS)
    def test_the_official_client_passes(self, reports, check):
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None


@pytest.mark.slow
class TestProcesses(TestOneProcess):
    """Each node in a process of its own."""

    options = ("--processes",)
