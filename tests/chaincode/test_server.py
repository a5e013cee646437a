"""A chaincode as a service over gRPC does what it does in the same process."""

import asyncio
from pathlib import Path

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.loader import load_path
from gridloom.chaincode.server import ChaincodeServer
from gridloom.chaincode.settings import ServerSettings
from gridloom.chaincode.testing import MemoryLedger
from gridloom.common.rpc.grpc_channel import GrpcChannel
from harness.dialing_peer import DialingPeer, RemoteChaincode

BASIC = Path(__file__).parents[2] / "deploy" / "examples" / "basic"


@pytest.fixture
async def dialled():
    server = ChaincodeServer(load_path(BASIC), ServerSettings("127.0.0.1:0", "basic_1:abc"))
    port = await server.start()
    channel = GrpcChannel(f"127.0.0.1:{port}")
    peer = DialingPeer(channel)
    await peer.shake_hands()
    yield peer
    await peer.hang_up()
    await channel.close()
    await server.stop()


def scenario(basic) -> list[object]:
    """Use every function once; return what a client sees."""
    seen: list[object] = []
    for call in (
        ("InitLedger",),
        ("CreateAsset", "asset7", "pink", 7, "Eve", 70),
        ("TransferAsset", "asset7", "Mallory"),
        ("UpdateAsset", "asset1", "blue", 6, "Tomoko", 310),
        ("DeleteAsset", "asset2"),
        ("ReadAsset", "asset2"),
        ("CreateAsset", "asset1", "pink", 7, "Eve", 70),
        ("CreateAsset", "asset8", "pink", "seven", "Eve", 70),
        ("GetAllAssets",),
        ("AssetExists", "asset7"),
        ("Nothing",),
    ):
        try:
            outcome = basic.submit(*call)
            seen.append((outcome.payload, outcome.event, outcome.writes))
        except ChaincodeError as error:
            seen.append((error.status, error.message))
    seen.append(basic.state)
    return seen


async def test_a_service_answers_exactly_as_in_process(dialled):
    ledger = MemoryLedger()
    remote = ledger.deploy("basic", RemoteChaincode(dialled))
    local = MemoryLedger().deploy("basic", load_path(BASIC))
    assert await asyncio.to_thread(scenario, remote) == scenario(local)


async def test_many_transactions_run_at_once(dialled):
    ledger = MemoryLedger()
    basic = ledger.deploy("basic", RemoteChaincode(dialled))
    await asyncio.to_thread(basic.submit, "InitLedger")
    reads = [asyncio.to_thread(basic.evaluate, "ReadAsset", f"asset{1 + n % 6}") for n in range(30)]
    owners = [outcome.text for outcome in await asyncio.gather(*reads)]
    assert [f'"ID":"asset{1 + n % 6}"' in owner for n, owner in enumerate(owners)] == [True] * 30
