"""``gridloom orderer`` and ``gridloom peer``: one node from its own configuration, as Fabric's.

(Fabric: the programs ``orderer`` and ``peer node start``.)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .running import LOG_FORMAT, run

orderer_app = typer.Typer(help="Run an orderer from its orderer.yaml.", no_args_is_help=True)
peer_app = typer.Typer(help="Run a peer from its core.yaml.", no_args_is_help=True)

ConfigDirectory = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="FABRIC_CFG_PATH", help="The folder of the configuration file."
    ),
]
Join = Annotated[
    list[Path] | None,
    typer.Option("--join", exists=True, help="A channel's block: join it, unless that was done."),
]
LogSpec = Annotated[
    str, typer.Option("--log", envvar="FABRIC_LOGGING_SPEC", help="Levels: info:gossip=debug")
]
HERE = Path()


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Example: gridloom prepare three-machines.yaml ./consortium")(prepare)
    app.add_typer(orderer_app, name="orderer")
    app.add_typer(peer_app, name="peer")


def prepare(
    description: Annotated[
        Path, typer.Argument(exists=True, help="A network description with each node's host.")
    ],
    folder: Annotated[Path, typer.Argument(help="Where to put what is made; it must be empty.")],
) -> None:
    """Issue a network's credentials and make a folder for each node, to carry to its machine.

    There, `gridloom orderer start -c FOLDER --join FOLDER/mychannel.block` runs an orderer, and
    `gridloom peer start` a peer.
    """
    from gridloom.deploy.document import DocumentError  # noqa: PLC0415
    from gridloom.deploy.node_config import write_node_folders  # noqa: PLC0415

    if folder.exists() and any(folder.iterdir()):
        raise typer.BadParameter(f"{folder} is not empty")
    try:
        folders = write_node_folders(description.read_text(encoding="utf-8"), folder)
    except DocumentError as error:
        raise typer.BadParameter(f"{description}: {error}") from error
    for made in folders:
        typer.echo(made)


@orderer_app.callback()
def orderer() -> None:
    """Run an orderer from its orderer.yaml."""


@peer_app.callback()
def peer() -> None:
    """Run a peer from its core.yaml."""


@orderer_app.command(
    "start", epilog="Example: gridloom orderer start -c /etc/gridloom --join mychannel.block"
)
def start_orderer(
    config: ConfigDirectory = HERE,
    join: Join = None,
    log: LogSpec = "info",
    first_start: Annotated[
        bool,
        typer.Option(
            "--first-start",
            help="The channel's orderers have never run: begin as soon as a majority is there.",
        ),
    ] = False,
) -> None:
    """Run an orderer until SIGTERM.

    It reads orderer.yaml in --config; ORDERER_* variables override it. "ready" is printed once
    all its ports are open.
    """
    _set_up_log(log)
    from gridloom.deploy.standalone import run_standalone  # noqa: PLC0415
    from gridloom.deploy.standalone_orderer import StandaloneOrderer  # noqa: PLC0415

    async def work() -> None:
        blocks = tuple(join or ())
        node = StandaloneOrderer(config, os.environ, blocks, first_start=first_start)
        await run_standalone(node, lambda: typer.echo("ready"))

    run(work())


@peer_app.command(
    "start", epilog="Example: gridloom peer start -c /etc/gridloom --join mychannel.block"
)
def start_peer(
    config: ConfigDirectory = HERE,
    join: Join = None,
    log: LogSpec = "info",
    development: Annotated[
        bool, typer.Option("--development", help="Show clients the tracebacks of chaincodes.")
    ] = False,
) -> None:
    """Run a peer until SIGTERM.

    It reads core.yaml in --config; CORE_* variables override it. "ready" is printed once all its
    ports are open.
    """
    _set_up_log(log)
    from gridloom.deploy.standalone import run_standalone  # noqa: PLC0415
    from gridloom.deploy.standalone_peer import StandalonePeer  # noqa: PLC0415

    async def work() -> None:
        node = StandalonePeer(config, os.environ, tuple(join or ()), development=development)
        await run_standalone(node, lambda: typer.echo("ready"))

    run(work())


def _set_up_log(spec: str) -> None:
    import logging  # noqa: PLC0415

    from gridloom.common.log_levels import activate_spec  # noqa: PLC0415

    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    activate_spec(spec)
