"""The peer's end and the chaincode's end of the shim stream, over gRPC."""

import asyncio
from pathlib import Path

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.loader import load_path
from gridloom.chaincode.server import ChaincodeServer
from gridloom.chaincode.settings import ServerSettings
from gridloom.chaincode.testing import MemoryLedger
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.peer.chaincodes.service import ServiceRuntime
from harness.dialing_peer import RemoteChaincode

BASIC = Path(__file__).parents[2] / "deploy" / "examples" / "basic"


@pytest.fixture
async def service():
    server = ChaincodeServer(load_path(BASIC), ServerSettings("127.0.0.1:0", "basic_1:abc"))
    port = await server.start()
    runtime = ServiceRuntime("basic_1:abc", GrpcChannel(f"127.0.0.1:{port}"), execute_timeout=30)
    await runtime.wait_ready(5)
    yield runtime
    await runtime.stop()
    await server.stop()


async def test_the_peer_runs_a_chaincode_service(service):
    ledger = MemoryLedger()
    basic = ledger.deploy("basic", RemoteChaincode(service))
    await asyncio.to_thread(basic.submit, "InitLedger")
    assert len(basic.state) == 6
    old = await asyncio.to_thread(basic.submit, "TransferAsset", "asset1", "Eve")
    assert old.text == "Tomoko"
    with pytest.raises(ChaincodeError, match="the asset asset9 does not exist"):
        await asyncio.to_thread(basic.evaluate, "ReadAsset", "asset9")
    reads = (asyncio.to_thread(basic.evaluate, "ReadAsset", "asset1") for _ in range(20))
    assert {outcome.text for outcome in await asyncio.gather(*reads)} == {
        '{"AppraisedValue":300,"Color":"blue","ID":"asset1","Owner":"Eve","Size":5}'
    }
