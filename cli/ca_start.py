"""``gridloom ca start``: a server of one or more CAs, as fabric-ca-server runs them."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .running import LOG_FORMAT, run

if TYPE_CHECKING:
    from gridloom.ca.process import Running

_VARIABLES = ["FABRIC_CA_SERVER_HOME", "FABRIC_CA_HOME"]


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command(epilog="Example: gridloom ca start --home ca -b admin:adminpw --tls")(start)


def start(
    home: Annotated[
        Path,
        typer.Option("--home", "-H", envvar=_VARIABLES, help="The folder of the CA."),
    ] = Path("."),
    boot: Annotated[
        str,
        typer.Option("--boot", "-b", help="id:secret of the first registrar of a new CA."),
    ] = "",
    name: Annotated[str, typer.Option("--ca-name", "-n", help="The CA's name.")] = "",
    address: Annotated[str, typer.Option("--address", help="Listen there.")] = "",
    port: Annotated[
        int | None, typer.Option("--port", "-p", min=0, max=65535, help="7054; 0 = any free.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Serve over TLS.")] = False,
    parent: Annotated[
        str,
        typer.Option("--parent", "-u", help="Enroll with this CA: https://id:secret@host:7054"),
    ] = "",
    parent_roots: Annotated[
        str, typer.Option("--parent-roots", help="Certificate that the parent's TLS is trusted by.")
    ] = "",
    debug: Annotated[bool, typer.Option("--debug", "-d", help="Log more.")] = False,
) -> None:
    """Serve the CA of a folder, which is made at the first start, until SIGTERM.

    Settings: fabric-ca-server-config.yaml in the folder, FABRIC_CA_SERVER_* variables.
    """
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format=LOG_FORMAT)
    folder = home.absolute()
    _make(folder, boot, name, parent)
    given = {
        "ca.name": name,
        "address": address,
        "port": "" if port is None else str(port),
        "tls.enabled": "true" if tls else "",
        "intermediate.parentserver.url": parent,
        "intermediate.tls.certfiles": parent_roots and str(Path(parent_roots).absolute()),
    }
    run(_serve(folder, {key: value for key, value in given.items() if value}))


def _make(folder: Path, boot: str, name: str, parent: str) -> None:
    """Write the settings of a new CA."""
    from gridloom.ca.config_file import create_config  # noqa: PLC0415
    from gridloom.ca.settings import CONFIG_FILE  # noqa: PLC0415

    if not (folder / CONFIG_FILE).exists():
        create_config(folder, boot, name, parent)
        typer.echo(f"wrote {folder / CONFIG_FILE}", err=True)


async def _serve(folder: Path, overrides: dict[str, str]) -> None:
    from gridloom.ca.process import serve  # noqa: PLC0415
    from gridloom.deploy.stopping import stop_event  # noqa: PLC0415

    await serve(folder, os.environ, overrides, _tell, stop_event())


def _tell(running: Running) -> None:
    names = ", ".join(name or "the default CA" for name in running.names)
    typer.echo(f"serving {names} at {running.url}")
    if running.operations:
        typer.echo(f"health and metrics at {running.operations}")
