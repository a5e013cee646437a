"""fabric-network 2.2, which plans endorsements by discovery and never uses the gateway."""

import pytest

from harness.client_conformance import ClientConformance
from harness.node_client import NodeClient

CLIENT = NodeClient("fabric_network")


def test_every_kind_of_call_is_checked():
    assert len(CLIENT.checks) == 10


@pytest.mark.network
class TestOneProcess(ClientConformance):
    """All nodes in one process."""

    client = CLIENT


@pytest.mark.network
@pytest.mark.slow
class TestProcesses(ClientConformance):
    """Each node in a process of its own: of others only the endpoint is known."""

    client = CLIENT
    options = ("--processes",)
