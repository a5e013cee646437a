"""``gridloom node``: one node in a process of its own, as ``up --processes`` runs them."""

from __future__ import annotations

from typing import Annotated

import typer

from .running import DEFAULT_DIRECTORY, Directory, run

app = typer.Typer(help="Single nodes of a network.", no_args_is_help=True)


@app.callback()
def node() -> None:
    """Single nodes of a network."""


@app.command("run", epilog="Example: gridloom node run peer0.org1.example.com")
def run_node(
    name: Annotated[str, typer.Argument(help="The node's full name.")],
    directory: Directory = DEFAULT_DIRECTORY,
    development: Annotated[bool, typer.Option("--development")] = False,
) -> None:
    """Run one node of the folder's network until SIGTERM; print "ready" once it serves."""
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415
    from gridloom.deploy.node_process import NodeProcess  # noqa: PLC0415
    from gridloom.deploy.processes import READY  # noqa: PLC0415
    from gridloom.deploy.up import settle_memory  # noqa: PLC0415

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        process = NodeProcess(NetworkHome(directory), name, development=development)
        await process.start()
        settle_memory()
        typer.echo(READY)
        try:
            await stopped.wait()
        finally:
            await process.stop()

    run(serve())
