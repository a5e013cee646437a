"""Measure what docs/performance.md says: start-up times and throughput, on this machine.

    python tools/measure.py            all of it, about a minute
    python tools/measure.py start      only the start-up times

Every figure is also a multiple of what one core does in P-256 verifications, measured in
the same run, because machines differ.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROBE = ROOT / "tests" / "chaincodes" / "probe"
CONCURRENCY = 64


def main(arguments: list[str]) -> int:
    """Measure and print one line for each figure."""
    if arguments not in ([], ["start"]):
        print(__doc__)
        return 2
    verifications = verifications_per_second()
    print(f"P-256 verifications of one core: {verifications:.0f}/s")
    print(f"network in this process, from the call to ready: {in_memory_start() * 1e3:.0f} ms")
    for mode in ((), ("--processes",)):
        seconds = first_transaction(mode)
        print(f"gridloom up {' '.join(mode)} to the first committed transaction: {seconds:.2f} s")
    if not arguments:
        for transport in ("direct calls", "gRPC and TLS"):
            for line in asyncio.run(throughput(transport == "gRPC and TLS", verifications)):
                print(f"{transport}: {line}")
    return 0


def verifications_per_second() -> float:
    """Return how many P-256 signatures one core verifies in a second."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    signature = key.sign(b"message", ec.ECDSA(SHA256()))
    public, algorithm = key.public_key(), ec.ECDSA(SHA256())
    started = time.process_time()
    for _ in range(2000):
        public.verify(signature, b"message", algorithm)
    return 2000 / (time.process_time() - started)


def in_memory_start() -> float:
    """Return the seconds a network in memory takes once everything is imported; best of 5."""
    from gridloom.deploy.network import Network  # noqa: PLC0415

    async def start() -> float:
        started = time.perf_counter()
        async with Network.in_memory():
            return time.perf_counter() - started

    return min(asyncio.run(start()) for _ in range(5))


def first_transaction(options: tuple[str, ...]) -> float:
    """Return the seconds from starting ``gridloom up`` until a transaction is committed.

    The transaction is the first approval of a chaincode, ordered and committed like any
    other; everything runs as commands, one after the other.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gridloom"]
        started = time.perf_counter()
        run([*command, "up", "--detach", "--dir", folder, "--config", free_ports(folder), *options])
        run([*command, "chaincode", "approve", "first", "--dir", folder])
        seconds = time.perf_counter() - started
        run([*command, "down", "--dir", folder])
    return seconds


def free_ports(folder: str) -> str:
    """Write a description of the test network on free ports and return its path."""
    path = Path(folder) / "free-ports.yaml"
    description = {
        "orderer_organizations": [
            {
                "name": "Orderer",
                "domain": "example.com",
                "orderers": [{"name": "orderer", "port": 0}],
            }
        ],
        "organizations": [
            {"name": name, "peers": [{"name": "peer0", "port": 0}]} for name in ("Org1", "Org2")
        ],
    }
    path.write_text(json.dumps(description))
    return str(path)


def run(command: list[str]) -> None:
    """Run a command; show what it said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


async def throughput(sockets: bool, verifications: float) -> list[str]:
    """Return one line for evaluate, endorse and submit each, client in the same process."""
    from gridloom.client.admin import ChaincodeDefinition  # noqa: PLC0415
    from gridloom.deploy.access import NetworkAccess  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome, describe  # noqa: PLC0415
    from gridloom.deploy.memory import settle_memory  # noqa: PLC0415
    from gridloom.deploy.network import Network  # noqa: PLC0415
    from gridloom.deploy.packaging import package_source  # noqa: PLC0415
    from gridloom.deploy.topology import Topology  # noqa: PLC0415

    async with contextlib.AsyncExitStack() as stack:
        home = NetworkHome(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        home.save_description("")
        network = Network.create(Topology.default().with_ports(lambda _: 0), home)
        await stack.enter_async_context(network)
        access = network.access
        if sockets:
            await network.serve()
            home.save_state(
                describe(
                    home, network.topology, network.builder.material, process_id=None, mode="single"
                )
            )
            access = NetworkAccess.open(home)
            stack.push_async_callback(access.close)
        channel = network.topology.channels[0]
        package = package_source(PROBE, label="probe_1.0")
        await access.deploy_chaincode(package, ChaincodeDefinition("probe"), channel)
        settle_memory()
        contract = access.gateway("Org1").get_network(channel.name).get_contract("probe")
        work: dict[str, tuple[int, Callable[[int], Awaitable[object]]]] = {
            "evaluate": (5000, lambda n: contract.evaluate_transaction("get", f"key{n}")),
            "endorse": (2000, lambda n: contract.new_proposal("put", [f"key{n}", "v"]).endorse()),
            "submit": (2000, lambda n: contract.submit_transaction("put", f"key{n}", "v")),
        }
        return [
            await closed_loop(name, count, call, verifications)
            for name, (count, call) in work.items()
        ]


async def closed_loop(
    name: str, count: int, call: Callable[[int], Awaitable[object]], verifications: float
) -> str:
    """Make ``count`` calls, CONCURRENCY at once; return a line of figures."""
    latencies: list[float] = []
    numbers: Iterator[int] = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            started = time.perf_counter()
            await call(number)
            latencies.append(time.perf_counter() - started)

    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    latencies.sort()
    p50, p99 = latencies[count // 2], latencies[count * 99 // 100]
    rate = count / seconds
    return (
        f"{name} {rate:.0f}/s ({rate / verifications:.3f} of a verification), "
        f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, {cpu / count * 1e6:.0f} us CPU each"
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
