"""``gridloom ca identity``: who is known to a CA, seen and changed.

(Fabric: fabric-ca cmd/fabric-ca-client/command/identity.go)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .ca_attributes import attributes, described
from .ca_command import client_group
from .ca_settings import ClientSettings, split_list
from .running import run

if TYPE_CHECKING:
    from gridloom.client.enrollment import IdentityChange, Registration

Name = Annotated[str, typer.Argument(help="Its name.", show_default=False)]
Kind = Annotated[str, typer.Option("--type", help="Its type: client, peer and so on.")]
Affiliation = Annotated[str, typer.Option("--affiliation", help="Its affiliation.")]
Secret = Annotated[str, typer.Option("--secret", help="Its secret.")]
Attributes = Annotated[
    list[str] | None, typer.Option("--attrs", help="Its attributes, as foo=foo1,bar=bar1:ecert.")
]
MaxEnrollments = Annotated[
    int, typer.Option("--maxenrollments", help="How often its secret may be used.")
]
Document = Annotated[str, typer.Option("--json", help="All of it as JSON instead.")]


def group(program: str) -> typer.Typer:
    """Return the commands; program: what one types before their names."""
    return client_group(
        f"{program} identity",
        "Identities that a CA knows.",
        {
            "list": (list_identities, "--id alice"),
            "add": (add, "alice --type client"),
            "modify": (modify, "alice --attrs level=3"),
            "remove": (remove, "alice"),
        },
    )


def list_identities(
    settings: ClientSettings,
    identity: Annotated[str, typer.Option("--id", help="Only this one.")] = "",
) -> None:
    """Show the identities that one may see."""
    me = settings.identity()
    found = [run(me.registered(identity))] if identity else run(me.identities())
    for each in found:
        typer.echo(described(each))
    if not found:
        typer.echo("No results returned")


def add(
    settings: ClientSettings,
    name: Name,
    kind: Kind = "user",
    affiliation: Affiliation = "",
    secret: Secret = "",
    attrs: Attributes = None,
    maxenrollments: MaxEnrollments = 0,
    document: Document = "",
) -> None:
    """Make somebody known to the CA."""
    from gridloom.client.enrollment import Registration  # noqa: PLC0415

    listed = attributes(split_list(*attrs or ()))
    registration = Registration(name, secret, kind, affiliation, listed, maxenrollments)
    if document:
        alone = registration == Registration(name, kind="user", attributes=[])
        registration = _registration(name, _document(document, alone=alone))
    made = run(settings.identity().add_identity(registration))
    typer.echo(f"Successfully added identity - {described(made, secret=True)}")


def modify(
    settings: ClientSettings,
    name: Name,
    kind: Kind = "",
    affiliation: Affiliation = "",
    secret: Secret = "",
    attrs: Attributes = None,
    maxenrollments: MaxEnrollments = 0,
    document: Document = "",
) -> None:
    """Change what the CA knows of somebody; what is not given stays."""
    from gridloom.client.enrollment import IdentityChange  # noqa: PLC0415

    change = IdentityChange(
        kind or None,
        affiliation or None,
        attributes(split_list(*attrs or ())) or None,
        maxenrollments or None,
        secret or None,
    )
    if document:
        change = _change(_document(document, alone=change == IdentityChange()))
    changed = run(settings.identity().modify_identity(name, change))
    typer.echo(f"Successfully modified identity - {described(changed, secret=True)}")


def remove(
    settings: ClientSettings,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Even oneself.")] = False,
) -> None:
    """Make the CA forget somebody, where its settings allow that."""
    gone = run(settings.identity().remove_identity(name, force=force))
    typer.echo(f"Successfully removed identity - {described(gone)}")


def _document(text: str, *, alone: bool) -> dict[str, Any]:
    """Read the value of --json, which says all; usage errors for what is no object."""
    from gridloom.common.documents import load_json  # noqa: PLC0415

    if not alone:
        raise typer.BadParameter("no other option goes with it", param_hint="--json")
    try:
        read = load_json(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--json") from error
    if not isinstance(read, dict):
        raise typer.BadParameter("an object is expected", param_hint="--json")
    return read


def _registration(name: str, read: dict[str, Any]) -> Registration:
    from gridloom.client.enrollment import Registration  # noqa: PLC0415

    return Registration(
        name,
        read.get("secret", ""),
        read.get("type", "user"),
        read.get("affiliation", ""),
        _attributes(read.get("attrs") or ()),
        read.get("max_enrollments", 0),
    )


def _change(read: dict[str, Any]) -> IdentityChange:
    from gridloom.client.enrollment import IdentityChange  # noqa: PLC0415

    listed = read.get("attrs")
    return IdentityChange(
        read.get("type"),
        read.get("affiliation"),
        None if listed is None else _attributes(listed),
        read.get("max_enrollments"),
        read.get("secret"),
    )


def _attributes(listed: Any) -> list[Any]:  # noqa: ANN401
    from gridloom.client.enrollment import Attribute  # noqa: PLC0415

    try:
        return [Attribute.read(each) for each in listed]
    except (KeyError, TypeError, AttributeError) as error:
        raise typer.BadParameter(
            "attrs is a list of names and values", param_hint="--json"
        ) from error
