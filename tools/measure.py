"""Measure what one call takes without gRPC: client and network in this process.

    python tools/measure.py                            evaluate, endorse and submit
    python tools/measure.py submit --concurrency 16    one of them, blocks of 16
    python tools/measure.py submit --profile           and where the event loop spends it

The network is that of ``gridloom bench``, on the disk, without sockets; the least of several
rounds counts, so that other work on the machine matters little.  The rate is the best round's: what
client and network would do if gRPC cost nothing.  For rates and latencies over gRPC use
``gridloom bench run``.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import pstats
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from gridloom.bench.own_network import OwnNetwork, deploy
from gridloom.bench.verification import verifications_per_second
from gridloom.bench.workload import LOAD, ChaincodeNeed
from gridloom.client import Contract
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.memory import settle_memory
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology

KEYS = 500
CALLS = {"evaluate": 1000, "endorse": 400, "submit": 2000}
"""Calls of a round, by kind."""

_numbers = itertools.count()


def main() -> int:
    """Measure what was asked for and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", nargs="*", choices=[*CALLS, []], default=[])
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    print(f"one verification: {1e6 / verifications_per_second(1.0):.0f} us")
    asyncio.run(measure(options))
    return 0


async def measure(options: argparse.Namespace) -> None:
    """Start the network, deploy the chaincode and measure each kind of call."""
    with tempfile.TemporaryDirectory() as folder:
        topology = Topology.parse(OwnNetwork.named("default").description)
        home = NetworkHome(Path(folder))
        async with Network.create(topology.with_ports(lambda _: 0), home) as network:
            await deploy(network.access, [ChaincodeNeed("load", LOAD)])
            settle_memory()
            gateway = network.access.gateway("Org1")
            contract = gateway.get_network("mychannel").get_contract("load")
            await contract.submit_transaction("fill", "w", "0", str(KEYS), "200")
            for kind in options.calls or CALLS:
                await report(kind, contract, options)


async def report(kind: str, contract: Contract, options: argparse.Namespace) -> None:
    """Measure one kind of call and print the best round; with a profile of the last one."""
    rounds = []
    rate = 0.0
    profile = cProfile.Profile(time.thread_time)
    for number in range(options.rounds):
        before = threads()
        if options.profile and number == options.rounds - 1:
            profile.enable()
        began = time.perf_counter()
        await drive(CALLS[kind], options.concurrency, call_of(kind, contract))
        rate = max(rate, CALLS[kind] / (time.perf_counter() - began))
        profile.disable()
        after = threads()
        used = {name: (after[name] - before.get(name, 0.0)) / CALLS[kind] for name in after}
        rounds.append({name: seconds * 1e6 for name, seconds in used.items()})
    best = min(rounds, key=lambda used: used["all"])
    shown = ", ".join(f"{name} {value:.0f}" for name, value in best.items() if value >= 1)
    print(f"{kind}: {rate:,.0f} a second; us of CPU for each: {shown}")
    if options.profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumtime").print_stats(80)


def call_of(kind: str, contract: Contract) -> Callable[[], Awaitable[object]]:
    """Return a function that makes one call of a kind."""

    def key() -> str:
        return f"key{next(_numbers)}"

    if kind == "evaluate":
        return lambda: contract.evaluate_transaction("read", f"w{next(_numbers) % KEYS:010}")
    if kind == "endorse":
        return lambda: contract.new_proposal("write", [key(), "v" * 64]).endorse()
    return lambda: contract.submit_transaction("write", key(), "v" * 64)


async def drive(count: int, concurrency: int, call: Callable[[], Awaitable[object]]) -> None:
    """Make so many calls, some at once."""
    left: Iterator[int] = iter(range(count))

    async def caller() -> None:
        for _ in left:
            await call()

    await asyncio.gather(*(caller() for _ in range(concurrency)))


def threads() -> dict[str, float]:
    """Return the CPU seconds of this process, and of its threads added up by name."""
    found = {"all": time.process_time()}
    for thread in threading.enumerate():
        name = "event loop" if thread is threading.main_thread() else thread.name
        if thread.ident is not None:
            clock = time.pthread_getcpuclockid(thread.ident)
            found[name] = found.get(name, 0.0) + time.clock_gettime(clock)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
