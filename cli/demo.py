"""``gridloom demo``: the paper's market day, traded on a network of this machine."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: gridloom demo --out report")(demo)


def demo() -> None:
    """Trade the paper's market day."""
