"""``gridloom node``: one node in a process of its own, as ``up --processes`` runs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .running import DEFAULT_DIRECTORY, LOG_FORMAT, Directory, run

app = typer.Typer(help="Single nodes of a network.", no_args_is_help=True, hidden=True)


@app.callback()
def node() -> None:
    """Single nodes of a network."""


@app.command("run", epilog="Example: gridloom node run peer0.org1.example.com")
def run_node(
    name: Annotated[str, typer.Argument(help="The node's full name, or a CA's.")],
    directory: Directory = DEFAULT_DIRECTORY,
    development: Annotated[
        bool, typer.Option("--development", help="Show clients the tracebacks of chaincodes.")
    ] = False,
    supervised: Annotated[
        bool, typer.Option("--supervised", help="Start at a line on stdin, stop at its end.")
    ] = False,
) -> None:
    """Run one node, or CA, of the folder's network until SIGTERM; print "ready" once it serves."""
    import logging  # noqa: PLC0415

    from gridloom.deploy.authority_process import organization_of, run_authority  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    home = NetworkHome(directory)
    org = organization_of(home, name)
    if org is not None:
        run(run_authority(home, org, _ready, supervised=supervised))
        return
    from gridloom.deploy.node_process import run_node  # noqa: PLC0415

    run(run_node(home, name, _ready, development=development, supervised=supervised))


@app.command("endorse", epilog="Example: gridloom node endorse --sockets /tmp/sockets")
def endorse(
    sockets: Annotated[Path, typer.Option("--sockets", help="Folder for one socket a peer.")],
    directory: Directory = DEFAULT_DIRECTORY,
    development: Annotated[
        bool, typer.Option("--development", help="Show clients the tracebacks of chaincodes.")
    ] = False,
) -> None:
    """Endorse for the peers of the folder's network until stdin ends; `gridloom up` starts it.

    It begins at a line on stdin and prints "ready" once it can.
    """
    import logging  # noqa: PLC0415

    from gridloom.deploy.endorsing_process import run_endorsing  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    run(run_endorsing(NetworkHome(directory), sockets, _ready, development=development))


def _ready() -> None:
    """Say so; what is printed afterwards, by chaincode, goes where errors go: nobody reads on."""
    from gridloom.deploy.child_process import READY  # noqa: PLC0415

    typer.echo(READY)
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
