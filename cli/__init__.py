"""The ``gridloom`` command: one module for each group of sub-commands.

``program`` says which module has which; only typer is imported to show help, and what a
sub-command needs it imports itself.
"""

from __future__ import annotations

import sys

import typer

from .program import Program

app = typer.Typer(
    name="gridloom",
    cls=Program,
    help="Hyperledger Fabric's architecture in Python: a running consortium in a second.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    """Hyperledger Fabric's architecture in Python: a running consortium in a second."""
    if version:
        from gridloom import __version__  # noqa: PLC0415

        typer.echo(f"gridloom {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; errors that Gridloom itself reports end it with status 1."""
    run_app(app)


def run_app(program: typer.Typer) -> None:
    """Run a program as ``main`` does this one."""
    from gridloom.common.errors import GridloomError  # noqa: PLC0415
    from gridloom.deploy.memory import collect_rarely  # noqa: PLC0415

    collect_rarely()
    try:
        program()
    except (GridloomError, OSError, TimeoutError) as error:
        typer.echo(f"Error: {str(error) or type(error).__name__}", err=True)
        sys.exit(1)
