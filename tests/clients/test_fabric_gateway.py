"""@hyperledger/fabric-gateway, a dependency of its folder here, as is the Node.js it wants."""

import pytest

from harness.client_conformance import ClientConformance
from harness.node_client import NodeClient

CLIENT = NodeClient("fabric_gateway", node="node")


def test_every_kind_of_call_is_checked():
    assert len(CLIENT.checks) == 14
    assert {"evaluate", "submit", "submitAsyncWithStatus", "transientData", "offlineSigning",
            "chaincodeEvents", "blockEvents", "endorsementFailureWithDetails",
            "mvccConflict"} <= set(CLIENT.checks)  # fmt: skip


@pytest.mark.network
class TestOneProcess(ClientConformance):
    """All nodes in one process."""

    client = CLIENT


@pytest.mark.network
@pytest.mark.slow
class TestProcesses(ClientConformance):
    """Each node in a process of its own."""

    client = CLIENT
    options = ("--processes",)
