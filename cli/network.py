"""``gridloom up | down | status | reset``: the life of a network."""

from __future__ import annotations

import logging
import os
import signal
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .detached import Detached
from .running import DEFAULT_DIRECTORY, LOG_FORMAT, Directory, network_access, run

if TYPE_CHECKING:
    from gridloom.deploy.home import NetworkHome
    from gridloom.deploy.up import UpOptions


class Consensus(StrEnum):
    """How orderers agree."""

    SOLO = "solo"
    RAFT = "raft"
    POCA = "poca"


STOP_TIMEOUT = 45.0
"""Seconds ``down`` waits for a network before it kills it: it may have to kill nodes of its own."""

NOT_RUNNING = 3
"""Exit status of ``status`` when the network does not run, as an init script's."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Example: gridloom up --detach && gridloom chaincode deploy ./basic")(up)
    app.command(epilog="Example: gridloom down")(down)
    app.command(epilog="Example: gridloom status")(status)
    app.command(epilog="Example: gridloom cut")(cut)
    app.command(epilog="Example: gridloom reset --yes")(reset)


def up(
    directory: Directory = DEFAULT_DIRECTORY,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", exists=True, help="A network description in YAML."),
    ] = None,
    orderers: Annotated[
        int | None,
        typer.Option("--orderers", min=1, max=9, help="How many order together; 1 by default."),
    ] = None,
    consensus: Annotated[
        Consensus | None,
        typer.Option("--consensus", help="How they agree; raft by default if there are several."),
    ] = None,
    in_memory: Annotated[
        bool, typer.Option("--in-memory", help="Forget the ledgers when the network stops.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once it runs; stop it with: gridloom down")
    ] = False,
    port_base: Annotated[
        int | None,
        typer.Option(
            "--port-base", min=0, max=65535, help="Move all ports: 7050 becomes this; 0 = any free."
        ),
    ] = None,
    processes: Annotated[
        bool, typer.Option("--processes", help="Run each node in a process of its own.")
    ] = False,
    one_process: Annotated[
        bool,
        typer.Option("--one-process", help="Never endorse in a second process, whatever comes."),
    ] = False,
    development: Annotated[
        bool, typer.Option("--development", help="Show clients the tracebacks of chaincodes.")
    ] = False,
    chaincode: Annotated[
        list[Path] | None,
        typer.Option("--chaincode", exists=True, help="Deploy it, unless it is there already."),
    ] = None,
) -> None:
    """Start a network: the test network, or the one described, or what --dir holds already.

    Without --config: Org1MSP and Org2MSP with a peer each, an orderer, the channel mychannel,
    TLS. Ledgers persist in --dir; `up` again continues them. With --orderers 3 the network loses
    any one orderer without losing a transaction. --chaincode, as often as you like, deploys a
    module, a package folder or a packaged .tar.gz on the first channel.
    """
    started = time.perf_counter()
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    detached = Detached.fork(home.log_file("network")) if detach else None
    from gridloom.deploy.up import UpOptions  # noqa: PLC0415

    options = UpOptions(
        config=config,
        orderers=orderers,
        consensus=consensus and consensus.value,
        port_base=port_base,
        in_memory=in_memory,
        processes=processes,
        one_process=one_process,
        development=development,
        chaincodes=tuple(chaincode or ()),
    )
    if detached is None:
        _in_foreground(home, options, started)
    else:
        _in_background(home, options, started, detached)


def _in_foreground(home: NetworkHome, options: UpOptions, started: float) -> None:
    from gridloom.deploy.up import run_network  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)

    def ready(state: dict[str, Any]) -> None:
        summary = _summary(home, state, time.perf_counter() - started)
        typer.echo(f"{summary}\n\nStop it with Ctrl-C.")

    run(run_network(home, options, ready, _progress))


def _in_background(
    home: NetworkHome, options: UpOptions, started: float, detached: Detached
) -> None:
    from gridloom.common.errors import GridloomError  # noqa: PLC0415
    from gridloom.deploy.up import run_network  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)

    def ready(state: dict[str, Any]) -> None:
        detached.succeeded(_summary(home, state, time.perf_counter() - started))

    try:
        run(run_network(home, options, ready, lambda step: detached.progress(f"  {step}")))
    except (GridloomError, OSError) as error:
        detached.failed(f"Error: {error}")
        raise
    detached.failed("Error: the network was stopped while it started")


def _progress(step: str) -> None:
    typer.echo(f"  {step}", err=True)


def down(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Stop the network; its data stays for the next `up`."""
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    process_id = home.process_id()
    if process_id is None:
        home.state()
        typer.echo("the network is not running")
        return
    _signal(process_id, signal.SIGTERM)
    if not _ended(home, STOP_TIMEOUT):
        _signal(process_id, signal.SIGKILL)
        _ended(home, STOP_TIMEOUT)
        typer.echo(f"the network did not stop within {STOP_TIMEOUT:g} s and was killed", err=True)
        raise typer.Exit(1)
    typer.echo("the network has stopped")


def _signal(process_id: int, number: signal.Signals) -> None:
    try:
        os.kill(process_id, number)
    except ProcessLookupError:
        return  # it has just ended by itself


def _ended(home: NetworkHome, timeout: float) -> bool:
    """Wait for the end of the network; whether it has come."""
    deadline = time.monotonic() + timeout
    while home.process_id() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def status(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Show whether the network runs, and the height of each peer's ledgers."""
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    state = home.state()
    process_id = home.process_id()
    if process_id is None and state.get("mode") != "standalone":
        if state.get("failure"):
            typer.echo(f"it ended by itself: {state['failure']}")
        typer.echo("the network is not running; start it with: gridloom up")
        raise typer.Exit(NOT_RUNNING)
    if process_id is None:
        typer.echo("its nodes run by themselves")
    elif state["pid"] is None:
        typer.echo(f"starting or stopping in process {process_id}")
        return
    else:
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


def cut(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """End the block under way, in a network whose description says `cutting: manual`."""
    from gridloom.deploy.cutting import CUT_SIGNAL  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    process_id = home.serving_process()
    state = home.state()
    orderers = {orderer["name"] for orderer in state["orderers"]}
    own = [pid for name, pid in state["processes"].items() if name in orderers]
    for target in own or [process_id]:
        os.kill(target, CUT_SIGNAL)
    typer.echo("told the orderer to end the block under way")


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
    scheme, web = ("grpcs", "https") if state["tls"] else ("grpc", "http")
    lines = [f"The network is up after {seconds:.2f} s.", ""]
    for orderer in state["orderers"]:
        lines.append(f"  orderer  {orderer['name']:28} {scheme}://{orderer['endpoint']}")
        admin = f"{web}://{orderer['admin_endpoint']}"
        lines.append(f"    admin  {orderer['name']:28} {admin}")
    for org in state["organizations"]:
        for peer in org["peers"]:
            lines.append(f"  peer     {peer['name']:28} {scheme}://{peer['endpoint']}")
    for ca in state["certificate_authorities"]:
        lines.append(f"  CA       {ca['name']:28} {ca['url']}")
    for channel in state["channels"]:
        lines.append(f"  channel  {channel['name']:28} {', '.join(channel['members'])}")
    lines += ["", "Credentials (an MSP folder each):"]
    for org in state["organizations"]:
        for user in org["users"]:
            lines.append(f"  {org['msp_id']:14} {os.path.relpath(user['msp'])}")
    lines += ["", f"For programs: {os.path.relpath(home.path / 'network.json')}"]
    return "\n".join(lines)
