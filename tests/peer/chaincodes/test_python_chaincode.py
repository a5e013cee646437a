"""A real chaincode package in the peer's process, through host, session and ledger."""

from pathlib import Path

import pytest

from gridloom.common.chaincode_package import parse_package
from gridloom.deploy.packaging import package_source
from gridloom.deploy.python_chaincode import PythonLauncher
from gridloom.peer.ledger.rwset import TxRwSet
from harness.chaincode_peer import HostBench, invocation
from harness.ledger import commit, endorsed

BASIC = Path(__file__).parents[3] / "deploy" / "examples" / "basic"


class Bench:
    def __init__(self, **options):
        self.inner = HostBench.create(python=PythonLauncher("Org1MSP", **options))
        self.transactions = 0

    def deploy(self, name, source, **fields):
        package = package_source(source, label=name)
        package_id = self.inner.host.approved.packages.install(
            parse_package(package).label, package
        )
        self.inner.define(name, package_id, **fields)
        return package_id

    async def submit(self, name, *args):
        """Invoke and commit; the response and what the transaction left."""
        self.transactions += 1
        tx_id = f"tx{self.transactions}"
        simulator = self.inner.simulator(tx_id=tx_id)
        try:
            call = invocation(name, *args, simulator=simulator, tx_id=tx_id)
            response, _ = await self.inner.host.invoke(call)
            results = simulator.results()
        finally:
            simulator.done()
        if response.status < 400:
            commit(self.inner.peer.channels["test"].ledger, [endorsed(results.public, tx_id)])
        return response, TxRwSet.parse(results.public)


@pytest.fixture
def bench():
    return Bench()


async def test_the_basic_example_writes_and_reads_its_assets(bench):
    bench.deploy("basic", BASIC)
    response, _ = await bench.submit("basic", b"InitLedger")
    assert response.status == 200, response.message
    response, rwset = await bench.submit("basic", b"TransferAsset", b"asset1", b"Eve")
    assert response.status == 200, response.message
    writes = [w.key for ns in rwset.namespaces if ns.namespace == "basic" for w in ns.kv.writes]
    assert writes == ["asset1"]
    response, rwset = await bench.submit("basic", b"ReadAsset", b"asset1")
    assert b'"Owner":"Eve"' in response.payload
    reads = [r.key for ns in rwset.namespaces for r in ns.kv.reads]
    assert reads == ["namespaces/fields/basic/Sequence", "asset1"]
    response, rwset = await bench.submit("basic", b"GetAllAssets")
    assert response.payload.count(b'"ID"') == 6
    (info,) = [i for ns in rwset.namespaces for i in ns.kv.range_queries_info]
    assert info.itr_exhausted


async def test_what_an_author_raises_is_what_the_client_reads(bench):
    bench.deploy("basic", BASIC)
    response, _ = await bench.submit("basic", b"ReadAsset", b"nosuch")
    assert response.status == 500
    assert response.message == "the asset nosuch does not exist"


BROKEN = """
from gridloom.chaincode import Contract, transaction

class Broken(Contract):
    @transaction("evaluate")
    def divide(self, ctx, by: int) -> int:
        return 1 // by

    @transaction("evaluate")
    def spin(self, ctx) -> int:
        while True:
            try:
                pass
            except Exception:
                pass
"""


@pytest.mark.parametrize("development", [False, True])
async def test_tracebacks_reach_the_client_in_development_only(tmp_path, development):
    (tmp_path / "broken.py").write_text(BROKEN)
    bench = Bench(development=development)
    bench.deploy("broken", tmp_path / "broken.py")
    response, _ = await bench.submit("broken", b"divide", b"0")
    assert response.status == 500
    assert "by zero" in response.message
    assert ("Traceback" in response.message) is development


async def test_an_endless_contract_is_ended_and_the_peer_lives_on(tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    bench = Bench(timeout=0.1)
    package_id = bench.deploy("broken", tmp_path / "broken.py")
    with pytest.raises(Exception, match="timeout expired while executing transaction"):
        await bench.submit("broken", b"spin")
    bench.inner.host._launches.require(package_id)._timeout = 60.0  # now it need not be quick
    response, _ = await bench.submit("broken", b"divide", b"1")
    assert response.payload == b"1"


async def test_two_versions_of_one_chaincode_run_side_by_side(tmp_path):
    bench = Bench()
    for version in (1, 2):
        folder = tmp_path / str(version)
        folder.mkdir()
        text = BROKEN.replace("1 // by", f"{version} * by")
        (folder / "broken.py").write_text(text)
        bench.deploy(f"v{version}", folder / "broken.py")
    assert (await bench.submit("v1", b"divide", b"3"))[0].payload == b"3"
    assert (await bench.submit("v2", b"divide", b"3"))[0].payload == b"6"
