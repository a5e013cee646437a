"""The network that a benchmark starts for itself and takes down again.

It is a process of ``gridloom up`` like any other, in a folder that is deleted.
(Fabric: Caliper's start and end commands)
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.packaging import package_source

from .errors import NetworkUnusable
from .existing_network import target_of_state
from .target import Target
from .workload import NETWORKS, ChaincodeNeed

START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
_TAIL = 10

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """Which network to start.

    description: YAML; processes: one for each node; in_memory: ledgers that are not kept.
    """

    description: str
    processes: bool = False
    in_memory: bool = False

    @classmethod
    def named(cls, name: str, *, processes: bool = False, in_memory: bool = False) -> OwnNetwork:
        """Return one of the networks that come with the package."""
        text = (NETWORKS / f"{name}.yaml").read_text(encoding="utf-8")
        return cls(text, processes, in_memory)


@asynccontextmanager
async def running(
    network: OwnNetwork, chaincodes: Iterable[ChaincodeNeed], progress: Progress = lambda _: None
) -> AsyncIterator[Target]:
    """Start a network, deploy the chaincodes, and take it down at the end; NetworkUnusable."""
    with tempfile.TemporaryDirectory(prefix="gridloom-bench-") as folder:
        home = NetworkHome(Path(folder))
        progress("starting a network")
        process = await _start(network, home)
        try:
            await _until_up(process, home)
            access = NetworkAccess.open(home)
            try:
                await deploy(access, chaincodes, progress)
            finally:
                await access.close()
            yield target_of_state(home.state())
        finally:
            await _stop(process)


async def deploy(
    access: NetworkAccess, chaincodes: Iterable[ChaincodeNeed], progress: Progress = lambda _: None
) -> None:
    """Take chaincodes through the lifecycle on every channel."""
    for need in dict.fromkeys(chaincodes):
        progress(f"deploying chaincode {need.name}")
        package = package_source(need.source, label=f"{need.name}_1.0", module=need.module)
        collections = parse_collections(need.collections) if need.collections else None
        definition = ChaincodeDefinition(need.name, collections=collections)
        for channel in access.topology.channels:
            await access.deploy_chaincode(package, definition, channel)


async def _start(network: OwnNetwork, home: NetworkHome) -> Process:
    config = home.path / "bench.yaml"
    config.write_text(network.description, encoding="utf-8")
    options = ["--processes"] * network.processes + ["--in-memory"] * network.in_memory
    arguments = ("up", "--dir", str(home.path), "--config", str(config), "--port-base", "0")
    with (home.path / "up.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gridloom", *arguments, *options,
            stdin=DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


async def _until_up(process: Process, home: NetworkHome) -> None:
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT
    while not (home.exists() and home.state()["pid"]):
        if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
            log = (home.path / "up.log").read_text(errors="replace").splitlines()
            raise NetworkUnusable("gridloom up", "it did not start:\n" + "\n".join(log[-_TAIL:]))
        await asyncio.sleep(0.02)


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
