"""fabric-network 2.2, which plans endorsements by discovery and never uses the gateway."""

import pytest

from harness.network import PROBE
from harness.node_client import NodeClient

CLIENT = NodeClient("fabric_network")


def test_every_kind_of_call_is_checked():
    assert len(CLIENT.checks) == 10


@pytest.mark.network
class TestOneProcess:
    """All nodes in one process."""

    options = ()

    @pytest.fixture(scope="class")
    @classmethod
    def reports(cls, tmp_path_factory):
        return CLIENT.run(tmp_path_factory.mktemp("network") / "home", PROBE, *cls.options)

    @pytest.mark.parametrize("check", CLIENT.checks)
    def test_the_former_client_passes(self, reports, check):
        assert check in reports, f"{check} did not run; there is: {', '.join(reports)}"
        assert reports[check]["error"] is None


@pytest.mark.slow
class TestProcesses(TestOneProcess):
    """Each node in a process of its own: of others only the endpoint is known."""

    options = ("--processes",)
