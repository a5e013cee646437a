"""Whole networks to test against: objects of this process, and processes of ``gridloom up``.

Ports are free ones, folders temporary.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Self, TypeVar

from gridloom.client import Contract
from gridloom.client.admin import ChaincodeDefinition
from gridloom.common.blocks import header_hash
from gridloom.common.rpc import Channel
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network_lock import LOCK_FILE
from gridloom.deploy.packaging import package_source
from gridloom.protos.common.common_pb2 import Block

T = TypeVar("T")

CHAINCODES = Path(__file__).parents[1] / "chaincodes"
PROBE = CHAINCODES / "probe"
SHELF = CHAINCODES / "shelf"

GRIDLOOM = (sys.executable, "-m", "gridloom")
START_TIMEOUT = STOP_TIMEOUT = 120.0
"""Seconds, for what hangs: a busy machine may take its time."""


class CommandFailed(AssertionError):
    """A command that ended with another status than expected."""


class NetworkProcess:
    """A network that ``gridloom up`` runs in the foreground of a process of its own.

    options: of ``up``, besides the folder; program: the command line of ``gridloom``.
    """

    program = GRIDLOOM

    def __init__(self, folder: Path, *options: str) -> None:
        self.home = NetworkHome(folder)
        self.options = options
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()

    def start(self) -> None:
        """Run ``up`` until it says that all nodes serve; CommandFailed with what it printed."""
        first = () if self.home.exists() else ("--port-base", "0")
        options = (*first, *(each for each in self.options if each not in first))
        log = self.home.path.with_suffix(".up.log")
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                (*self.program, "up", "--dir", str(self.home.path), *options),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        if self._process.stdout is None or not self._process.stdout.readline():
            self._ended()
            raise CommandFailed(f"gridloom up {' '.join(options)}:\n{log.read_text()}")

    @property
    def errors(self) -> str:
        """What ``up`` has printed on its standard error so far, in all its runs."""
        return self.home.path.with_suffix(".up.log").read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it with a signal and return its exit status."""
        self.process.send_signal(number)
        return self._ended()

    def wait(self) -> int:
        """Wait until it ends by itself and return its exit status."""
        return self._ended()

    def kill(self) -> None:
        """End it as a power cut would, and its node processes with it."""
        self.stop(signal.SIGKILL)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of ``up``."""
        if self._process is None:
            raise CommandFailed("the network does not run")
        return self._process

    @asynccontextmanager
    async def access(self) -> AsyncIterator[NetworkAccess]:
        """Reach it as its users do, over gRPC."""
        access = NetworkAccess.open(self.home)
        try:
            yield access
        finally:
            await access.close()

    def _ended(self) -> int:
        process, self._process = self.process, None
        if process.stdout is not None:
            process.stdout.close()
        try:
            return process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


class HeldStart:
    """A ``gridloom up --detach`` that has taken its folder's lock and cannot go on.

    It waits for its network description, which comes out of a pipe that nobody writes to until
    ``release``; so what happens to it meanwhile happens while it starts, on any machine.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._lock = folder / LOCK_FILE
        self._description = folder.with_suffix(".yaml")
        os.mkfifo(self._description)
        command = (*GRIDLOOM, "up", "--detach", "--port-base", "0", *options)
        self._process = subprocess.Popen(
            (*command, "--config", str(self._description), "--dir", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: self._lock.exists() and self._lock.read_text() != "")
        self.process_id = int(self._lock.read_text())

    def stopped_by(self, command: Callable[[], T]) -> T:
        """Run a command that sends SIGTERM; let the start go on once that has been sent."""
        os.kill(self.process_id, signal.SIGSTOP)
        # Not before it stands still: of two signals that wait, Linux hands over SIGTERM first.
        wait_until(lambda: _status(self.process_id, "State") == "T")
        with ThreadPoolExecutor(1) as thread:
            outcome = thread.submit(command)
            wait_until(lambda: signal.SIGTERM in _pending(self.process_id))
            os.kill(self.process_id, signal.SIGCONT)
            self._description.write_text("{}")  # returns when it has been read
            return outcome.result()

    def end(self) -> tuple[int, str, str]:
        """Return the exit status, output and errors of the command."""
        out, errors = self._process.communicate(timeout=START_TIMEOUT)
        return self._process.returncode, out, errors


def wait_until(condition: Callable[[], bool], seconds: float = START_TIMEOUT) -> None:
    """Return as soon as ``condition`` holds; TimeoutError if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not true after {seconds:g} s: {condition}")
        time.sleep(0.005)


def _pending(process_id: int) -> set[signal.Signals]:
    """Return the signals sent to a stopped process that it has not noticed yet."""
    mask = int(_status(process_id, "ShdPnd"), 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}


def _status(process_id: int, field: str) -> str:
    """Return a field of what Linux says of a process."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return status.partition(f"\n{field}:")[2].split()[0]


def gridloom(
    *arguments: str | Path, folder: Path | None = None, timeout: float = START_TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process of its own; folder: GRIDLOOM_DIR, and where it runs."""
    environment = dict(os.environ)
    if folder is not None:
        environment["GRIDLOOM_DIR"] = str(folder)
    return subprocess.run(
        [*GRIDLOOM, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        env=environment,
        check=False,
    )


async def deploy(
    access: NetworkAccess,
    source: Path,
    name: str,
    *,
    version: str = "1.0",
    policy: str = "",
    init_required: bool = False,
) -> str:
    """Take a chaincode through the whole lifecycle on the first channel; return the package id."""
    package = package_source(source, label=f"{name}_{version}")
    return await deploy_package(
        access, package, name, version=version, policy=policy, init_required=init_required
    )


async def deploy_package(
    access: NetworkAccess,
    package: bytes,
    name: str,
    *,
    version: str = "1.0",
    policy: str = "",
    init_required: bool = False,
) -> str:
    """Deploy what is already a package."""
    channel = access.topology.channels[0]
    sequence = await access.next_sequence(channel, name)
    definition = ChaincodeDefinition(name, version, sequence, init_required, policy)
    return await access.deploy_chaincode(package, definition, channel)


def contract(
    access: NetworkAccess, name: str, organization: str = "Org1", user: str = "User1"
) -> Contract:
    """Return a chaincode on the first channel, as a user sees it."""
    gateway = access.gateway(organization, user)
    return gateway.get_network(access.topology.channels[0].name).get_contract(name)


async def submit_init(access: NetworkAccess, name: str, *arguments: str) -> bytes:
    """Submit the call that a chaincode with init_required waits for; EndorsementError."""
    channel = access.topology.channels[0]
    _, response = await access.invocation("Org1", "User1").submit(
        access.endorsers(channel),
        access.orderer(channel),
        channel.name,
        name,
        *(argument.encode() for argument in arguments),
        is_init=True,
    )
    await settled_height(access)
    return response.payload


def nodes(access: NetworkAccess) -> Sequence[tuple[str, str, Channel]]:
    """Return full name, MSP id and channel of every peer."""
    return [
        (peer.name, org.msp_id, access.peer(peer.name))
        for org in access.topology.organizations
        for peer in org.peers
    ]


async def height(access: NetworkAccess, name: str) -> int:
    """Return the height of the first channel on a peer."""
    (found,) = [(msp_id, channel) for each, msp_id, channel in nodes(access) if each == name]
    admin = access.channel_admin(found[0])
    return (await admin.info(found[1], access.topology.channels[0].name)).height


async def settled_height(access: NetworkAccess, at_least: int = 0) -> int:
    """Wait until all peers have the same height, ``at_least`` or more; return it.

    A client hears of a commit from one peer; until the others have committed too, endorsements
    of what has just been written may differ.
    """
    names = [name for name, _, _ in nodes(access)]
    while True:
        heights = {await height(access, name) for name in names}
        if len(heights) == 1 and max(heights) >= at_least:
            return heights.pop()
        await asyncio.sleep(0.01)


async def chain(access: NetworkAccess, peer: str, start: int = 0) -> list[Block]:
    """Return a peer's blocks from ``start`` to the newest."""
    end = await height(access, peer)
    organization = next(msp_id for name, msp_id, _ in nodes(access) if name == peer)
    network = access.gateway(organization, peer=peer).get_network(access.topology.channels[0].name)
    blocks: list[Block] = []
    async with network.block_events(start_block=start) as events:
        while start + len(blocks) < end:
            blocks.append(await anext(events))
    return blocks


async def ordered_chain(access: NetworkAccess) -> list[Block]:
    """Return the orderer's blocks."""
    channel = access.topology.channels[0]
    admin = access.channel_admin(access.topology.organizations[0].msp_id)
    newest = await admin.fetch(access.orderer(channel), channel.name)
    return [
        await admin.fetch(access.orderer(channel), channel.name, number)
        for number in range(newest.header.number + 1)
    ]


def require_same_chains(*chains: Sequence[Block]) -> None:
    """Fail unless all are the same blocks, one after the other, each following the last."""
    first = chains[0]
    for other in chains[1:]:
        assert [block.header for block in other] == [block.header for block in first]
        assert [block.data for block in other] == [block.data for block in first]
    for before, after in pairwise(first):
        assert after.header.previous_hash == header_hash(before.header)
        assert after.header.number == before.header.number + 1


def edited(source: Path, target: Path, pattern: str, replacement: str) -> Path:
    """Copy a chaincode folder with one line changed; return the copy."""
    target.mkdir(parents=True)
    for file in source.glob("*.py"):
        text, count = re.subn(pattern, replacement, file.read_text())
        assert count, f"{pattern!r} is not in {file}"
        (target / file.name).write_text(text)
    return target
