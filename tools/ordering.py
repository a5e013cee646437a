"""Measures ordering alone: envelopes of 4.6 KB through Broadcast into blocks of 500.

    python tools/ordering.py --orderers 0 1 3 5 7 --messages 20000

0 orderers stands for one solo orderer; the others are Raft.  Every orderer is a process of its own
(``gridloom orderer start``); the client is this one.  The table goes
into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gridloom.common.envelopes import NONCE_LENGTH, signed_envelope
from gridloom.common.rpc import Channel, RpcError
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import grpc_channel
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.node_config import write_node_folders
from gridloom.protos.common.common_pb2 import ENDORSER_TRANSACTION, SUCCESS, Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
DELIVER = "/orderer.AtomicBroadcast/Deliver"
SIZE = 4_600
TICKS = os.sysconf("SC_CLK_TCK")
DESCRIPTION = """
consensus: {consensus}
cutting: timeout
port_base: {base}
orderer_organizations: [{{name: Orderer, orderers: {count}}}]
organizations: [{{name: Org1, peers: 0}}]
channels:
  - name: mychannel
    batch: {{max_message_count: 500, preferred_max_bytes: 8 MB, timeout: 1s}}
"""


@dataclass
class Measured:
    """One run: messages a second, latencies in seconds, CPU milliseconds by process."""

    rate: float
    latencies: list[float]
    cpu: dict[str, float]

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def ordering_service(orderers: int, base: int) -> Iterator[tuple[NetworkHome, dict[str, int]]]:
    """Run the orderers; yields the network's folder and their process ids by name."""
    consensus, count = ("solo", 1) if orderers == 0 else ("raft", orderers)
    description = DESCRIPTION.format(consensus=consensus, base=base, count=count)
    with tempfile.TemporaryDirectory() as folder:
        made = write_node_folders(description, Path(folder) / "network")
        running = {}
        try:
            for each in made:
                command = [sys.executable, "-m", "gridloom", "orderer", "start", "-c", str(each)]
                command += ["--join", str(each / "mychannel.block"), "--log", "warning"]
                running[each.name] = subprocess.Popen(command, stdout=subprocess.PIPE)
            for process in running.values():
                if process.stdout is None or process.stdout.readline() != b"ready\n":
                    raise SystemExit("an orderer did not start")
            pids = {name: process.pid for name, process in running.items()}
            yield NetworkHome(Path(folder) / "network"), pids
        finally:
            for process in running.values():
                process.send_signal(signal.SIGTERM)
            for process in running.values():
                process.wait()


def cpu_seconds(process_id: int) -> float:
    """CPU time a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def envelopes(access: NetworkAccess, count: int) -> list[bytes]:
    """Signed messages of the size."""
    signer = access.signer("Org1", "User1")
    probe = _envelope(signer, b"")
    filling = os.urandom(SIZE - len(probe))
    return [_envelope(signer, number.to_bytes(8, "big") + filling[8:]) for number in range(count)]


def _envelope(signer: object, data: bytes) -> bytes:
    return signed_envelope(
        ENDORSER_TRANSACTION,
        "mychannel",
        data,
        signer,  # type: ignore[arg-type]
        lambda: datetime.now(UTC),
        os.urandom(NONCE_LENGTH),
    ).SerializeToString()


async def stream(
    channel: Channel, messages: Sequence[bytes], window: int, latencies: list[float]
) -> None:
    """Send messages on one stream, so many of them unanswered at a time."""
    room = asyncio.Semaphore(window)
    sent: list[float] = []

    async def requests() -> AsyncIterator[Envelope]:
        for message in messages:
            await room.acquire()
            sent.append(time.perf_counter())
            yield Envelope.FromString(message)

    answered = 0
    async with aclosing(channel.stream(BROADCAST, requests(), BroadcastResponse)) as responses:
        async for response in responses:
            if response.status != SUCCESS:
                raise SystemExit(f"refused: {response}")
            latencies.append(time.perf_counter() - sent[answered])
            answered += 1
            room.release()
            if answered == len(messages):
                break


async def warm_up(channels: Sequence[Channel], messages: Sequence[bytes]) -> None:
    """Wait until every orderer takes messages."""
    for channel, message in zip(channels, messages, strict=True):
        for _ in range(100):
            try:
                await stream(channel, [message], 1, [])
                break
            except (SystemExit, RpcError):
                await asyncio.sleep(0.2)


async def measure(
    home: NetworkHome, pids: dict[str, int], count: int, streams: int, window: int
) -> Measured:
    """Send the messages over streams to all orderers in turn."""
    access = NetworkAccess.open(home)
    nodes = access.topology.orderers()
    tls = ClientTls(roots=access.material.node(nodes[0].name).tls.root)
    channels = [grpc_channel(node.endpoint, tls) for node in nodes]
    messages = envelopes(access, count + len(nodes))
    await warm_up(channels, messages[count:])
    processes = {**pids, "client": os.getpid()}
    before = {name: cpu_seconds(pid) for name, pid in processes.items()}
    latencies: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(
        *(
            stream(
                channels[number % len(channels)], messages[number:count:streams], window, latencies
            )
            for number in range(streams)
        )
    )
    took = time.perf_counter() - begun
    cpu = {
        name: 1000 * (cpu_seconds(pid) - before[name]) / count for name, pid in processes.items()
    }
    for channel in channels:
        await channel.close()
    await access.close()
    return Measured(count / took, latencies, cpu)


def verification() -> float:
    """CPU milliseconds that one P-256 verification takes on this machine now."""
    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"", ec.ECDSA(hashes.SHA256()))
    public, begun, count = key.public_key(), time.process_time(), 2_000
    for _ in range(count):
        public.verify(signature, b"", ec.ECDSA(hashes.SHA256()))
    return 1000 * (time.process_time() - begun) / count


def row(orderers: int, found: Measured) -> str:
    """One line of the table."""
    kind = "solo" if orderers == 0 else f"raft, {orderers}"
    nodes = [cpu for name, cpu in found.cpu.items() if name != "client"]
    each = " + ".join(f"{cpu:.2f}" for cpu in sorted(nodes, reverse=True))
    quantiles = " / ".join(f"{1000 * found.quantile(q):.0f}" for q in (0.5, 0.95, 0.99))
    total = sum(found.cpu.values())
    return (
        f"| {kind} | {found.rate:,.0f} | {quantiles} | {each} | {found.cpu['client']:.2f} "
        f"| {total:.2f} | {total / verification():.1f} |"
    )


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orderers", type=int, nargs="+", default=[0, 1, 3, 5, 7])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--streams", type=int, default=6)
    parser.add_argument("--window", type=int, default=250)
    parser.add_argument("--port-base", type=int, default=27_050)
    options = parser.parse_args()
    print(
        "| consensus | tx/s | answer p50 / p95 / p99 (ms) | orderers, CPU ms/tx | client | all "
        "| in verifications |"
    )
    print("|---|---|---|---|---|---|---|")
    for orderers in options.orderers:
        with ordering_service(orderers, options.port_base) as (home, pids):
            work = measure(home, pids, options.messages, options.streams, options.window)
            found = uvloop.run(work)
        print(row(orderers, found), flush=True)


if __name__ == "__main__":
    main()
