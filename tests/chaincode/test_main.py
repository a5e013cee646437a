"""``python -m gridloom.chaincode``, as a user starts it."""

import asyncio
import json
import re
import sys
from pathlib import Path

from gridloom.chaincode.__main__ import main
from gridloom.chaincode.testing import MemoryLedger
from gridloom.common.rpc.grpc_channel import GrpcChannel
from harness.dialing_peer import DialingPeer, RemoteChaincode

BASIC = Path(__file__).parents[2] / "deploy" / "examples" / "basic"


async def test_a_service_started_by_command_answers_and_stops_when_asked():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gridloom.chaincode", str(BASIC)),
        *("--address", "127.0.0.1:0", "--id", "basic_1:abc"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        line = (await process.stderr.readline()).decode()
        announced = re.fullmatch(r"chaincode basic_1:abc listens on 127\.0\.0\.1:(\d+)\n", line)
        assert announced is not None, line
        channel = GrpcChannel(f"127.0.0.1:{announced[1]}")
        peer = DialingPeer(channel)
        await peer.shake_hands()
        basic = MemoryLedger().deploy("basic", RemoteChaincode(peer))
        await asyncio.to_thread(basic.submit, "InitLedger")
        assert len(basic.state) == 6
        await peer.hang_up()
        await channel.close()
    finally:
        process.terminate()
        assert await process.wait() == 0


def test_the_metadata_can_be_had_without_a_peer(capsys):
    assert main([str(BASIC), "--metadata"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in document["contracts"]["basic"]["transactions"]] == [
        "InitLedger",
        "CreateAsset",
        "ReadAsset",
        "UpdateAsset",
        "DeleteAsset",
        "AssetExists",
        "TransferAsset",
        "GetAllAssets",
    ]


def test_what_is_wrong_is_said_in_one_line(capsys, monkeypatch):
    for name in ("CHAINCODE_SERVER_ADDRESS", "CHAINCODE_ID", "CORE_CHAINCODE_ID_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert main(["/nowhere"]) == 1
    assert main([str(BASIC)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: /nowhere: there is no such file or folder",
        "error: CHAINCODE_SERVER_ADDRESS: not set (or give --address)",
    ]
