"""Measure the default network and its client in two processes, with next to no transport.

    python tools/measure_framed.py                      evaluate, endorse, submit and order
    python tools/measure_framed.py submit --concurrency 128

What ``gridloom bench run bench/rounds/figures.yaml`` measures over gRPC, over the frames of
``framed.py``: the same network in one process, the same client in another, TLS, both
organisations endorsing, ledgers on the disk.  What is missing there is what gRPC takes.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from framed import FramedChannel, FramedServer
from measure import KEYS, call_of, drive
from measure_rpc import answer_questions

from gridloom.bench.ordering import Ordering
from gridloom.bench.own_network import OwnNetwork, deploy
from gridloom.bench.verification import verifications_per_second
from gridloom.bench.workload import LOAD, ChaincodeNeed
from gridloom.client import Gateway
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.tls_context import client_context, server_context
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.material import Material, load_material
from gridloom.deploy.memory import settle_memory
from gridloom.deploy.network import Network
from gridloom.deploy.topology import ADMIN_USER, Topology

CALLS = {"evaluate": 12_000, "endorse": 5_000, "submit": 4_000, "order": 30_000}
"""Calls of a round, by kind."""
AT_ONCE = {"order": 256}
ENVELOPE = 4096


def main() -> int:
    """Measure, or be the network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", nargs="*", choices=[*CALLS, []], default=[])
    parser.add_argument("--concurrency", type=int, help="64; for order 256")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--serve", nargs=2, metavar=("NETWORK", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(serve(options.serve[0], Path(options.serve[1])))
        return 0
    rate = verifications_per_second(1.0)
    print(f"P-256 verifications a second of one core: {rate:,.0f}")
    for kind in options.calls or CALLS:
        network = "ordering" if kind == "order" else "default"
        with tempfile.TemporaryDirectory() as folder, started(network, folder) as process:
            uvloop.run(measure(kind, network, Path(folder), process, options))
    return 0


def started(network: str, folder: str) -> subprocess.Popen[str]:
    """Start a network that runs until its standard input ends."""
    command = [sys.executable, __file__, "--serve", network, folder]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def measure(
    kind: str,
    network: str,
    folder: Path,
    process: subprocess.Popen[str],
    options: argparse.Namespace,
) -> None:
    """Drive a network that was started in a folder, and print the best round."""
    assert process.stdout is not None
    node, port = process.stdout.readline().split()
    topology = Topology.parse(OwnNetwork.named(network).description)
    material = load_material(topology, NetworkHome(folder).organizations)
    tls = ClientTls(material.node(node).tls.root)
    channel = await FramedChannel.connect(int(port), client_context(tls), node)
    call = await caller(kind, material, channel)
    settle_memory()
    best = 0.0, 0.0, 0.0
    for number in range(options.rounds + 1):
        before, served = time.process_time(), used(process)
        began = time.perf_counter()
        await drive(CALLS[kind], options.concurrency or AT_ONCE.get(kind, 64), call)
        took = time.perf_counter() - began
        client, served = time.process_time() - before, used(process) - served
        if number:  # the first round warms up
            each = 1000 / CALLS[kind]
            best = max(best, (CALLS[kind] / took, served * each, client * each))
    print(f"{kind}: {best[0]:,.0f} a second; CPU ms: network {best[1]:.3f}, client {best[2]:.3f}")


async def caller(
    kind: str, material: Material, channel: FramedChannel
) -> Callable[[], Awaitable[object]]:
    """Return what makes one call, once all is there that it needs."""
    if kind == "order":
        ordering = Ordering(
            channel, material.user("Org1", ADMIN_USER).signing_identity, "mychannel"
        )
        await ordering.start(4)
        return lambda: ordering.order(ENVELOPE)
    gateway = Gateway(channel, material.user("Org1", "User1").signing_identity)
    contract = gateway.get_network("mychannel").get_contract("load")
    await contract.submit_transaction("fill", "w", "0", str(KEYS), "200")
    return call_of(kind, contract)


def used(process: subprocess.Popen[str]) -> float:
    """CPU seconds that the network has used."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


async def serve(description: str, folder: Path) -> None:
    """Run a network, its first peer or else its orderer behind frames, until told to end."""
    topology = Topology.parse(OwnNetwork.named(description).description)
    home = NetworkHome(folder)
    async with Network.create(topology.with_ports(lambda _: 0), home) as network:
        if network.peers:
            await deploy(network.access, [ChaincodeNeed("load", LOAD)])
        node = next(iter(network.peers or network.orderers))
        registry = (network.peers.get(node) or network.orderers[node]).services()
        tls = network.builder.material.node(node).tls
        server = await asyncio.get_running_loop().create_server(
            lambda: FramedServer(registry),
            "127.0.0.1",
            0,
            ssl=server_context(ServerTls(tls.certificate, tls.key)),
        )
        settle_memory()
        print(node, server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(answer_questions)
        server.close()


if __name__ == "__main__":
    raise SystemExit(main())
