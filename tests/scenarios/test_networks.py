"""The same scenarios on every kind of network: in memory, in one process, in many."""

import pytest

from gridloom.common.rpc.transport import GRPC, GRPCIO, OURS
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.network import NetworkProcess
from harness.network_conformance import NetworkConformance, ServiceConformance
from harness.replicas import replicated


class TestInMemory(NetworkConformance, ServiceConformance):
    """Objects that call each other; no socket, no disk, all in the test's own event loop."""

    @pytest.fixture
    async def access(self):
        async with Network.in_memory(development=False) as network:
            yield network.access


class TestReplicas(NetworkConformance, ServiceConformance):
    """On the disk, and whatever a peer may delegate is endorsed by its replica."""

    @pytest.fixture
    async def access(self, tmp_path):
        async with replicated(Topology.default(), tmp_path, development=False) as replicas:
            yield replicas.network.access


@pytest.mark.network
class TestOneProcess(NetworkConformance, ServiceConformance):
    """What ``gridloom up`` starts, reached over TLS."""

    options = ()
    grpc = OURS

    @pytest.fixture(scope="class")
    @classmethod
    def network(cls, tmp_path_factory):
        home = tmp_path_factory.mktemp("network") / "home"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(GRPC, cls.grpc)
            with NetworkProcess(home, *cls.options) as network:
                yield network

    @pytest.fixture
    async def access(self, network):
        async with network.access() as access:
            yield access


@pytest.mark.slow
class TestProcesses(TestOneProcess):
    """A process for each node, which reach each other over TLS as well."""

    options = ("--processes",)


@pytest.mark.slow
class TestProcessesOverGrpcio(TestProcesses):
    """The same with Google's library at both ends of every connection."""

    grpc = GRPCIO
