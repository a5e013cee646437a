"""``gridloom ca renew``: new certificates for a node of a network that runs."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from .running import DEFAULT_DIRECTORY, Directory, run


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command(epilog="Example: gridloom ca renew peer0.org1.example.com")(renew)


def renew(
    names: Annotated[list[str], typer.Argument(help="Full names of peers and orderers.")],
    directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Re-enrol nodes with their organisations' CAs; the network restarts them one by one.

    The old certificates stay valid until they are revoked.
    """
    from gridloom.deploy.access import NetworkAccess  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415
    from gridloom.deploy.registrar import NetworkRegistrar  # noqa: PLC0415
    from gridloom.deploy.renewing import RENEW_SIGNAL  # noqa: PLC0415

    home = NetworkHome(directory)
    access = NetworkAccess.open(home)
    process_id = home.serving_process()
    for name in names:
        access.material.node(name)
    registrar = NetworkRegistrar(access.topology, access.material)

    async def work() -> None:
        for name in names:
            renewed = await registrar.renew_node(name)
            serial = renewed.signing_identity.details.serial_number
            typer.echo(f"{name} has a new certificate, serial number {serial:x}")

    run(work())
    os.kill(process_id, RENEW_SIGNAL)
    typer.echo("told the network to take them over")
