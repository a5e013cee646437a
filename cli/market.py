"""``gridloom market``: the numerical side of the energy market, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Energy markets: solve cases.", no_args_is_help=True)


@app.callback()
def market() -> None:
    """Energy markets: solve cases."""


@app.command(epilog="Example: gridloom market solve cases.json -o out.json")
def solve(
    cases: Annotated[Path, typer.Argument(help='{"cases": [{"id", "kind", "input"}, ...]}')],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; the screen by default.")
    ] = None,
) -> None:
    """Solve every case of a JSON file and write {id: output}."""
    from gridloom.common.errors import MalformedMessage  # noqa: PLC0415
    from gridloom.market.solve import solve as solve_cases  # noqa: PLC0415

    try:
        content = json.loads(cases.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MalformedMessage(str(cases), f"not JSON: {error}") from error
    text = json.dumps(solve_cases(content), indent=1)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n")
