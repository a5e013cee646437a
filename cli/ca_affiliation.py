"""``gridloom ca affiliation``: the tree of affiliations of a CA, seen and changed.

(Fabric: fabric-ca cmd/fabric-ca-client/command/affiliation.go)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .ca_command import client_group
from .ca_settings import ClientSettings
from .running import run

if TYPE_CHECKING:
    from gridloom.client.enrollment import Affiliation

_INDENT = "   "

Name = Annotated[
    str, typer.Argument(help="Its name, such as org1.department1.", show_default=False)
]


def group(program: str) -> typer.Typer:
    """Return the commands; program: what one types before their names."""
    return client_group(
        f"{program} affiliation",
        "The tree of affiliations of a CA.",
        {
            "list": (list_affiliations, ""),
            "add": (add, "org1.sales --force"),
            "modify": (modify, "org1.sales --name org1.trade"),
            "remove": (remove, "org1.trade --force"),
        },
    )


def list_affiliations(
    settings: ClientSettings,
    affiliation: Annotated[
        str, typer.Option("--affiliation", help="Only this one and those below it.")
    ] = "",
) -> None:
    """Show the tree of affiliations that one may see."""
    me = settings.identity()
    _show(run(me.affiliation(affiliation) if affiliation else me.affiliations()))


def add(
    settings: ClientSettings,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="With those above it.")] = False,
) -> None:
    """Add an affiliation."""
    added = run(settings.identity().add_affiliation(name, force=force))
    typer.echo(f"Successfully added affiliation: {added.name}")


def modify(
    settings: ClientSettings,
    name: Name,
    new_name: Annotated[str, typer.Option("--name", help="Its new name.", show_default=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Although there are identities in it.")
    ] = False,
) -> None:
    """Rename an affiliation."""
    changed = run(settings.identity().modify_affiliation(name, new_name, force=force))
    typer.echo(f"Successfully modified affiliation: {changed.name}")


def remove(
    settings: ClientSettings,
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="With those below it and the identities in them.")
    ] = False,
) -> None:
    """Remove an affiliation, where the CA's settings allow that."""
    gone = run(settings.identity().remove_affiliation(name, force=force))
    typer.echo(f"Successfully removed affiliation: {gone.name}")


def _show(affiliation: Affiliation, depth: int = 0) -> None:
    typer.echo(f"{_INDENT * depth}affiliation: {affiliation.name or '.'}")
    for child in affiliation.children:
        _show(child, depth + 1)
