"""``gridloom ca backup | restore``: a CA's folder in one file, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

_VARIABLES = ["FABRIC_CA_SERVER_HOME", "FABRIC_CA_HOME"]

Home = Annotated[
    Path, typer.Option("--home", "-H", envvar=_VARIABLES, help="The folder of the CA.")
]
Archive = Annotated[Path, typer.Argument(help="The backup, a .tar.gz.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.command(epilog="Example: gridloom ca backup --home ca ca.tar.gz")(backup)
    app.command(epilog="Example: gridloom ca restore --home ca-again ca.tar.gz")(restore)


def backup(archive: Archive, home: Home = Path(".")) -> None:
    """Write settings, certificates, keys and database to a file; the CA may go on serving.

    Whoever has the file has the CA's key: it is written for its owner only.
    """
    from gridloom.ca.backup import back_up  # noqa: PLC0415

    names = back_up(home.absolute(), archive.absolute(), os.environ)
    typer.echo(f"wrote {archive}: {len(names)} files")


def restore(archive: Archive, home: Home = Path(".")) -> None:
    """Unpack a backup into an empty folder, from which `gridloom ca start` goes on."""
    from gridloom.ca.backup import restore as unpack  # noqa: PLC0415

    names = unpack(archive, home.absolute())
    typer.echo(f"restored {home}: {len(names)} files")
