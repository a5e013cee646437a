"""Measures what ordering a message is made of: gRPC, the orderer's own part, a verification.

    python tools/ordering_parts.py --messages 10000

"gRPC alone" is a server like the orderer's whose Broadcast answers each message unread; "own part"
is a solo orderer on a disk that is called in this process, without gRPC, by as many streams.  Both
get the same envelopes of 4.6 KB, signed elsewhere, so that every signature has to be verified.
"Followed" is the own part while one reader follows the blocks by Deliver, and "Deliver" what it
takes to give out the newest blocks once more; a reader serialises each answer, as gRPC would.
CPU of the server in microseconds for a message; the least of several rounds counts.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from ordering import BROADCAST, DELIVER, DESCRIPTION, cpu_seconds, envelopes, stream, verification

from gridloom.common.envelopes import (
    NEVER,
    NEXT_COMMIT,
    NONCE_LENGTH,
    block_position,
    seek_envelope,
)
from gridloom.common.identities import Signer
from gridloom.common.msp_directory import load_signing_identity
from gridloom.common.rpc import Call, ServiceRegistry
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.rpc.transport import grpc_channel, grpc_server
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.memory import settle_memory
from gridloom.deploy.node_config import write_node_folders
from gridloom.orderer.node import Orderer, utc_now
from gridloom.orderer.settings import load_settings
from gridloom.orderer.storage import FileStorage
from gridloom.protos.common.common_pb2 import SUCCESS, Block, Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, SeekInfo, SeekPosition

STREAMS, WINDOW = 6, 250
KEPT, READINGS = 4, 8
"""Blocks that an orderer keeps in memory, and times that they are given out."""
_ANSWER = BroadcastResponse(status=SUCCESS)


def signed(home: Path, count: int) -> list[bytes]:
    """Envelopes, made by another process than the one that will verify them."""
    access = NetworkAccess.open(NetworkHome(home))
    return envelopes(access, count)


class Unread:
    """An AtomicBroadcast that does nothing."""

    async def broadcast(
        self, requests: AsyncIterator[Envelope], call: Call
    ) -> AsyncIterator[BroadcastResponse]:
        async for _ in requests:
            yield _ANSWER


def serve(port: Connection, certificate: bytes, key: bytes) -> None:
    """Run the server that does nothing, until it is killed."""

    async def work() -> None:
        services = ServiceRegistry()
        services.add("orderer.AtomicBroadcast", Unread())
        server = grpc_server(services, "127.0.0.1:0", ServerTls(certificate, key))
        port.send(await server.start())
        settle_memory()
        await asyncio.Event().wait()

    uvloop.run(work())


async def send_all(target: str, roots: bytes, messages: Sequence[bytes]) -> None:
    """Send the messages over streams to a server."""
    channel = grpc_channel(target, ClientTls(roots=roots))
    parts = [messages[number::STREAMS] for number in range(STREAMS)]
    await asyncio.gather(*(stream(channel, part, WINDOW, []) for part in parts))
    await channel.close()


def grpc_alone(home: Path, messages: Sequence[bytes]) -> float:
    """CPU of the server that does nothing."""
    access = NetworkAccess.open(NetworkHome(home))
    tls = access.material.node(access.topology.orderers()[0].name).tls
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there, tls.certificate, tls.key))
    server.start()
    try:
        port = here.recv()
        before = cpu_seconds(server.pid or 0)
        uvloop.run(send_all(f"localhost:{port}", tls.root, messages))
        return 1e6 * (cpu_seconds(server.pid or 0) - before) / len(messages)
    finally:
        server.kill()
        server.join()


async def own_part(folder: Path, messages: Sequence[bytes], followed: bool) -> tuple[float, float]:
    """CPU of an orderer that is called directly, and of its Deliver alone.

    followed: whether a reader follows the blocks meanwhile.
    """
    settings = load_settings(folder, {})
    signer = load_signing_identity(settings.local_msp_dir, settings.local_msp_id)
    with tempfile.TemporaryDirectory(dir=folder) as blocks:
        orderer = Orderer(signer, signer.msp_id, FileStorage(Path(blocks)))
        orderer.join(Block.FromString((folder / "mychannel.block").read_bytes()))
        await orderer.start()
        settle_memory()
        broadcast = orderer.services().find(BROADCAST).handler
        reader = Reader(orderer, signer)

        async def drive(part: Sequence[bytes]) -> None:
            room = asyncio.Semaphore(WINDOW)

            async def requests() -> AsyncIterator[Envelope]:
                for message in part:
                    await room.acquire()
                    await asyncio.sleep(0)  # gRPC brings one a pass of the loop
                    yield Envelope.FromString(message)

            async for answer in broadcast(requests(), Call()):
                answer.SerializeToString()
                room.release()
                await asyncio.sleep(0)

        before = time.process_time()
        following = asyncio.create_task(reader.read(most=len(messages) if followed else 0))
        await asyncio.gather(*(drive(messages[n::STREAMS]) for n in range(STREAMS)))
        await orderer.cut("mychannel")
        await following
        own = time.process_time() - before
        given_out = await reader.again()
        await orderer.stop()
        return 1e6 * own / len(messages), 1e6 * given_out


class Reader:
    """Reads the blocks of an orderer that is called directly."""

    def __init__(self, orderer: Orderer, signer: Signer) -> None:
        self._orderer = orderer
        self._signer = signer
        self._deliver = orderer.services().find(DELIVER).handler

    async def again(self) -> float:
        """CPU seconds for each message of the newest blocks, given out several times."""
        last = self._orderer.channels()[0].height - 1
        first, before, messages = max(1, last - KEPT), time.process_time(), 0
        for _ in range(READINGS):
            messages += await self.read(block_position(first), block_position(last))
        return (time.process_time() - before) / messages

    async def read(
        self,
        start: SeekPosition = NEXT_COMMIT,
        stop: SeekPosition = NEVER,
        most: float = float("inf"),
    ) -> int:
        """Read blocks until ``stop``, or so many messages; returns how many these were."""
        count = 0
        async with aclosing(self._deliver(self._requests(start, stop), Call())) as answers:
            while count < most:
                answer = await anext(answers)
                answer.SerializeToString()
                if answer.WhichOneof("Type") == "status":
                    break
                count += len(answer.block.data.data)
                await asyncio.sleep(0)
        return count

    async def _requests(self, start: SeekPosition, stop: SeekPosition) -> AsyncIterator[Envelope]:
        nonce = os.urandom(NONCE_LENGTH)
        until_ready = SeekInfo.BLOCK_UNTIL_READY
        yield seek_envelope("mychannel", start, stop, until_ready, self._signer, utc_now, nonce)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as elsewhere,
    ):
        home = Path(folder) / "network"
        description = DESCRIPTION.format(consensus="solo", base=27_050, count=1)
        (node,) = write_node_folders(description, home)
        transport, own, followed, given_out = [], [], [], []
        for _ in range(options.rounds):
            messages = elsewhere.submit(signed, home, options.messages).result()
            transport.append(grpc_alone(home, messages))
            own.append(uvloop.run(own_part(node, messages, followed=False))[0])
            messages = elsewhere.submit(signed, home, options.messages).result()
            both = uvloop.run(own_part(node, messages, followed=True))
            followed.append(both[0])
            given_out.append(both[1])
    verified = 1000 * verification()
    parts = {"gRPC alone": transport, "own part": own, "followed": followed, "Deliver": given_out}
    for name, found in (parts | {"verification": [verified]}).items():
        print(f"{name}: {min(found):.1f} us, {min(found) / verified:.2f} verifications")


if __name__ == "__main__":
    main()
