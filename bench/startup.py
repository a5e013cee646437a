"""Start-up and footprint: seconds until something can be done, and memory at rest.

Everything that a person starts as a command is measured as a command, from the start of the
first one to the end of the one that printed a committed transaction.  Python's bytecode is there
by then, as pip leaves it.  (Fabric counterpart: none)
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network

from .errors import NetworkUnusable
from .own_network import deploy
from .workload import LOAD, ChaincodeNeed

_COMMAND = (sys.executable, "-m", "gridloom")
_ANY_PORTS = ("--port-base", "0")
DEFAULT_HEIGHT = 10_000
_AT_ONCE = 16

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds on the clock, of CPU, and megabytes; BOUNDS has the bounds.

    first_commit: ``up --detach --chaincode`` and ``invoke``; by_steps: with ``chaincode deploy``
    as a command of its own; processes: as first_commit, with a process for each node.
    On a machine that is busy with other work only the CPU says something.
    """

    first_commit_s: float
    first_commit_cpu_s: float
    first_commit_by_steps_s: float
    first_commit_by_steps_cpu_s: float
    first_commit_processes_s: float
    first_commit_processes_cpu_s: float
    restart_s: float
    restart_cpu_s: float
    restart_height: int
    in_process_s: float
    in_process_cpu_s: float
    client_import_s: float
    client_import_cpu_s: float
    resident_mb: float
    resident_at_height_mb: float

    def document(self) -> dict[str, float]:
        """Return it as plain data."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return a line for each figure, with its bound."""
        return [
            f"{name:28} {value:10,.3f}"
            + (f"   (at most {BOUNDS[name]:g})" if name in BOUNDS else "")
            for name, value in self.document().items()
        ]


BOUNDS = {
    "first_commit_s": 1.0,
    "restart_s": 1.5,
    "in_process_s": 0.05,
    "client_import_s": 0.3,
    "resident_mb": 150.0,
}


def measure_startup(
    height: int = DEFAULT_HEIGHT, repeats: int = 3, progress: Progress = lambda _: None
) -> Startup:
    """Measure everything; the best of some repeats of what is short."""
    progress("importing gridloom.client")
    imports = [_run_python("import gridloom.client") for _ in range(5)]
    nothing = [_run_python("pass") for _ in range(5)]
    progress("a network in this process")
    in_process = [asyncio.run(_in_memory()) for _ in range(5)]
    progress("gridloom up until the first commit")
    first = [_first_commit() for _ in range(repeats)]
    progress("the same in three commands")
    by_steps = [_first_commit(by_steps=True) for _ in range(repeats)]
    progress("the same with a process for each node")
    processes = [_first_commit("--processes") for _ in range(repeats)]
    progress(f"a ledger of {height:,} blocks")
    restart = _restart(height, progress)
    return Startup(
        first_commit_s=_least(first).seconds,
        first_commit_cpu_s=_least(first).cpu,
        first_commit_by_steps_s=_least(by_steps).seconds,
        first_commit_by_steps_cpu_s=_least(by_steps).cpu,
        first_commit_processes_s=_least(processes).seconds,
        first_commit_processes_cpu_s=_least(processes).cpu,
        restart_s=restart.seconds,
        restart_cpu_s=restart.cpu,
        restart_height=height,
        in_process_s=_least(in_process).seconds,
        in_process_cpu_s=_least(in_process).cpu,
        client_import_s=_least(imports).seconds - _least(nothing).seconds,
        client_import_cpu_s=_least(imports).cpu - _least(nothing).cpu,
        resident_mb=min(used.megabytes for used in first),
        resident_at_height_mb=restart.megabytes,
    )


@dataclass(frozen=True, slots=True)
class _Used:
    """Time that something took, and megabytes of the network then, if there is one."""

    seconds: float
    cpu: float
    megabytes: float = 0.0


def _least(runs: Sequence[_Used]) -> _Used:
    return _Used(min(used.seconds for used in runs), min(used.cpu for used in runs))


async def _in_memory() -> _Used:
    started, cpu = time.perf_counter(), time.process_time()
    async with Network.in_memory():
        return _Used(time.perf_counter() - started, time.process_time() - cpu)


def _first_commit(*options: str, by_steps: bool = False) -> _Used:
    """From ``gridloom up`` until a transaction of a chaincode is committed.

    CPU: of the commands and of the network.
    """
    with tempfile.TemporaryDirectory(prefix="gridloom-bench-") as folder:
        home, started, cpu = NetworkHome(Path(folder)), time.perf_counter(), _children_cpu()
        place, source = ("--dir", folder), str(LOAD)
        deployed = () if by_steps else ("--chaincode", source)
        _run("up", "--detach", *place, *_ANY_PORTS, *deployed, *options)
        try:
            if by_steps:
                _run("chaincode", "deploy", source, *place)
            _run("invoke", "load", "write", "key", "value", *place)
            seconds = time.perf_counter() - started
            cpu = _children_cpu() - cpu + _network_cpu(home)
            return _Used(seconds, cpu, _resident_mb(home))
        finally:
            _run("down", *place)


def _restart(height: int, progress: Progress) -> _Used:
    """What a network with so many blocks takes to run again."""
    with tempfile.TemporaryDirectory(prefix="gridloom-bench-") as folder:
        home = NetworkHome(Path(folder) / "network")
        config = Path(folder) / "bench.yaml"
        config.write_text("channels: [{name: mychannel, batch: {max_message_count: 1}}]\n")
        place = ("--dir", str(home.path))
        _run("up", "--detach", *place, "--config", str(config), *_ANY_PORTS)
        try:
            asyncio.run(_grow(home, height, progress))
        finally:
            _run("down", *place)
        started = time.perf_counter()
        _run("up", "--detach", *place)
        seconds = time.perf_counter() - started
        try:
            return _Used(seconds, _network_cpu(home), _resident_mb(home))
        finally:
            _run("down", *place)


async def _grow(home: NetworkHome, height: int, progress: Progress) -> None:
    """Submit until the ledger has so many blocks, of one transaction each."""
    access = NetworkAccess.open(home)
    try:
        await deploy(access, [ChaincodeNeed("load", LOAD)])
        channel = access.topology.channels[0]
        contract = access.gateway("Org1").get_network(channel.name).get_contract("load")
        peer = access.peer(access.topology.peers()[0].name)
        info = await access.channel_admin("Org1").info(peer, channel.name)
        numbers = iter(range(info.height, height))

        async def write() -> None:
            for number in numbers:
                await contract.submit_transaction("write", f"key{number}", "value")
                if number % 1000 == 0:
                    progress(f"block {number:,}")

        await asyncio.gather(*(write() for _ in range(_AT_ONCE)))
    finally:
        await access.close()


def _resident_mb(home: NetworkHome) -> float:
    return sum(process.memory_info().rss for process in _processes(home)) / 2**20


def _network_cpu(home: NetworkHome) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in _processes(home))


def _processes(home: NetworkHome) -> list[psutil.Process]:
    state = home.state()
    return [psutil.Process(each) for each in {state["pid"], *state["processes"].values()}]


def _children_cpu() -> float:
    """CPU seconds of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run_python(text: str) -> _Used:
    started, cpu = time.perf_counter(), _children_cpu()
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", text], check=True, env=_with_bytecode()
    )
    return _Used(time.perf_counter() - started, _children_cpu() - cpu)


def _with_bytecode() -> dict[str, str]:
    """The environment, in which the first of several runs leaves what it compiled."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _run(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        [*_COMMAND, *arguments], capture_output=True, text=True, check=False, env=_with_bytecode()
    )
    if done.returncode:
        raise NetworkUnusable(f"gridloom {arguments[0]}", f"{done.stdout}{done.stderr}".strip())
