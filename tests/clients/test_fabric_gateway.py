"""The official npm client on our network: one item for each check of ``checks.mjs``.

@hyperledger/fabric-gateway is a dependency of ``tests/clients/fabric_gateway``, and so is the
Node.js it wants.
"""

import pytest

from harness.network import PROBE
from harness.node_client import NodeClient

CLIENT = NodeClient("fabric_gateway", node="node")


def test_every_kind_of_call_is_checked():
    assert len(CLIENT.checks) == 14
    assert {"evaluate", "submit", "submitAsyncWithStatus", "transientData", "offlineSigning",
            "chaincodeEvents", "blockEvents", "endorsementFailureWithDetails",
            "mvccConflict"} <= set(CLIENT.checks)  # fmt: skip


@pytest.mark.network
class TestOneProcess:
    """All nodes in one process."""

    options = ()

    @pytest.fixture(scope="class")
    @classmethod
    def reports(cls, tmp_path_factory):
        return CLIENT.run(tmp_path_factory.mktemp("network") / "home", PROBE, *cls.options)

    @pytest.mark.parametrize("check", CLIENT.checks)
    def test_the_official_client_passes(self, reports, check):
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None


@pytest.mark.slow
class TestProcesses(TestOneProcess):
    """Each node in a process of its own."""

    options = ("--processes",)
