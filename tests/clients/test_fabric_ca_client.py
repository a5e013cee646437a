"""The official npm client of CAs on our network: one item for each check of ``checks.mjs``.

fabric-ca-client is a dependency of ``tests/clients/fabric_ca_client``; ``./run test`` installs it
there, with the Node.js it wants.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.network import NetworkProcess

CLIENT = Path(__file__).parent / "fabric_ca_client"
NODE = CLIENT / "node_modules" / ".bin" / "node"
SOURCE = (CLIENT / "checks.mjs").read_text()
CHECKS = re.findall(r"^    async (\w+)\(\) \{$", SOURCE, re.MULTILINE)


def run_checks(folder, *options):
    """Return what each check reported, by name."""
    assert NODE.exists(), f"{NODE} is missing: run ./run test, or npm ci in {CLIENT}"
    with NetworkProcess(folder / "home", *options) as network:
        finished = subprocess.run(
            [NODE, CLIENT / "checks.mjs", network.home.path / "network.json"],
            cwd=CLIENT,
            env={**os.environ, "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert finished.returncode == 0, finished.stderr
    return {line["check"]: line for line in map(json.loads, finished.stdout.splitlines())}


def test_the_whole_interface_is_checked():
    assert len(CHECKS) == 15
    services = ("getCaInfo", "register", "enroll", "reenroll", "revoke", "generateCRL")
    parts = ("newIdentityService", "newAffiliationService", "newCertificateService")
    assert all(f".{call}(" in SOURCE for call in (*services, *parts))


@pytest.mark.network
@pytest.mark.timeout(180)
class TestOneProcess:
    """The CAs in the process of the nodes."""

    options = ()

    @pytest.fixture(scope="class")
    @classmethod
    def reports(cls, tmp_path_factory):
        return run_checks(tmp_path_factory.mktemp("network"), *cls.options)

    @pytest.mark.parametrize("check", CHECKS)
    def test_the_official_client_passes(self, reports, check):
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None
