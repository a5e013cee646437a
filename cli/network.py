"""``gridloom up | down | status | reset``: the life of a network."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .running import DEFAULT_DIRECTORY, Directory, network_access, run

if TYPE_CHECKING:
    from gridloom.deploy.home import NetworkHome
    from gridloom.deploy.up import UpOptions

STOP_TIMEOUT = 15.0
"""Seconds ``down`` waits for a network before it kills it."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Example: gridloom up --detach && gridloom chaincode deploy ./basic")(up)
    app.command(epilog="Example: gridloom down")(down)
    app.command(epilog="Example: gridloom status")(status)
    app.command(epilog="Example: gridloom reset --yes")(reset)


def up(
    directory: Directory = DEFAULT_DIRECTORY,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", exists=True, help="A network description in YAML."),
    ] = None,
    in_memory: Annotated[
        bool, typer.Option("--in-memory", help="Forget the ledgers when the network stops.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once it runs; stop it with: gridloom down")
    ] = False,
    port_base: Annotated[
        int | None,
        typer.Option("--port-base", min=1, max=65000, help="Move all ports: 7050 becomes this."),
    ] = None,
    processes: Annotated[
        bool, typer.Option("--processes", help="Run each node in a process of its own.")
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Show clients the tracebacks of chaincodes.")
    ] = False,
) -> None:
    """Start a network: the test network, or the one described, or what --dir holds already.

    Without --config: Org1MSP and Org2MSP with a peer each, an orderer, the channel mychannel,
    TLS. Ledgers persist in --dir; `up` again continues them.
    """
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    started = time.perf_counter()
    home = NetworkHome(directory)
    tell = _Detached.fork(home) if detach else None
    from gridloom.deploy.up import UpOptions  # noqa: PLC0415

    options = UpOptions(
        config=config,
        port_base=port_base,
        in_memory=in_memory,
        processes=processes,
        development=development,
    )
    _run(home, options, started, tell)


def _run(home: NetworkHome, options: UpOptions, started: float, tell: _Detached | None) -> None:
    from gridloom.common.errors import GridloomError  # noqa: PLC0415
    from gridloom.deploy.up import run_network  # noqa: PLC0415

    def ready(state: dict[str, Any]) -> None:
        summary = _summary(home, state, time.perf_counter() - started)
        if tell is not None:
            tell.parent(summary, status=0)
        else:
            typer.echo(f"{summary}\n\nStop it with Ctrl-C.")

    if tell is None:
        typer.echo("starting ...", err=True)
    try:
        run(run_network(home, options, ready))
    except (GridloomError, OSError) as error:
        if tell is not None:
            tell.parent(f"Error: {error}", status=1)
        raise


class _Detached:
    """The background half of ``up --detach``; its parent waits for one message."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    @classmethod
    def fork(cls, home: NetworkHome) -> _Detached:
        """Return in the child; the parent prints the child's message and exits.

        It happens before anything that has threads is imported.
        """
        reader, writer = os.pipe()
        if os.fork():
            os.close(writer)
            with os.fdopen(reader, "rb") as pipe:
                message = pipe.read()
            if not message:
                typer.echo(f"Error: the network ended; see {home.log_file('network')}", err=True)
                os._exit(1)
            typer.echo(message[1:].decode(), err=message[0] != 0)
            sys.stdout.flush()
            os._exit(message[0])
        os.close(reader)
        os.setsid()
        log = home.log_file("network")
        log.parent.mkdir(parents=True, exist_ok=True)
        null = os.open(os.devnull, os.O_RDONLY)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        return cls(writer)

    def parent(self, message: str, *, status: int) -> None:
        """Let the parent print ``message`` and exit with ``status``; only the first counts."""
        if self._pipe is not None:
            os.write(self._pipe, bytes([status]) + message.encode())
            os.close(self._pipe)
            self._pipe = None


def down(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Stop the network; its data stays for the next `up`."""
    from gridloom.deploy.home import NetworkHome, is_alive  # noqa: PLC0415

    home = NetworkHome(directory)
    home.state()
    process_id = home.process_id()
    if process_id is None:
        typer.echo("the network is not running")
        return
    os.kill(process_id, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while is_alive(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    if is_alive(process_id):
        os.kill(process_id, signal.SIGKILL)
        typer.echo(f"the network did not stop within {STOP_TIMEOUT:g} s and was killed", err=True)
        raise typer.Exit(1)
    typer.echo("the network has stopped")


def status(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Show whether the network runs, and the height of each peer's ledgers."""
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    state = home.state()
    process_id = home.process_id()
    if process_id is None:
        typer.echo("the network is not running; start it with: gridloom up")
        raise typer.Exit(3)
    typer.echo(f"running in process {process_id} ({state['mode']})")

    async def heights() -> None:
        async with network_access(directory) as access:
            for channel in access.topology.channels:
                for org in access.topology.members(channel):
                    admin = access.channel_admin(org.msp_id)
                    for peer in org.peers:
                        info = await admin.info(access.peer(peer.name), channel.name)
                        latest = info.currentBlockHash.hex()[:16]
                        typer.echo(
                            f"{channel.name}: {peer.name} height {info.height} latest {latest}"
                        )

    run(heights())


def reset(
    directory: Directory = DEFAULT_DIRECTORY,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete the network with its ledgers and credentials."""
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    home.state()
    if not yes:
        typer.confirm(f"Delete everything in {home.path}?", abort=True)
    home.remove()
    typer.echo(f"deleted {home.path}")


def _summary(home: NetworkHome, state: dict[str, Any], seconds: float) -> str:
    """Return what a person wants to know of a network that has just started."""
    scheme = "grpcs" if state["tls"] else "grpc"
    lines = [f"The network is up after {seconds:.2f} s.", ""]
    for orderer in state["orderers"]:
        lines.append(f"  orderer  {orderer['name']:28} {scheme}://{orderer['endpoint']}")
    for org in state["organizations"]:
        for peer in org["peers"]:
            lines.append(f"  peer     {peer['name']:28} {scheme}://{peer['endpoint']}")
    for channel in state["channels"]:
        lines.append(f"  channel  {channel['name']:28} {', '.join(channel['members'])}")
    lines += ["", "Credentials (an MSP folder each):"]
    for org in state["organizations"]:
        for user in org["users"]:
            lines.append(f"  {org['msp_id']:14} {os.path.relpath(user['msp'])}")
    lines += ["", f"For programs: {os.path.relpath(home.path / 'network.json')}"]
    return "\n".join(lines)
