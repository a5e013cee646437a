"""Attributes as fabric-ca-client takes and prints them.

(Fabric: fabric-ca lib/attr/attribute.go ConvertAttrs, cmd/fabric-ca-client/command/config.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gridloom.client.enrollment import Attribute, AttributeRequest, RegisteredIdentity


def attributes(texts: Sequence[str]) -> list[Attribute]:
    """Read ``name=value`` and ``name=value:ecert``."""
    from gridloom.client.enrollment import Attribute  # noqa: PLC0415

    found = {}
    for text in filter(None, texts):
        name, equals, rest = text.partition("=")
        value, colon, flag = rest.partition(":")
        if not equals or (colon and flag.lower() not in {"", "ecert"}):
            raise typer.BadParameter(f"attribute {text!r} is not NAME=VALUE or NAME=VALUE:ecert")
        found[name] = Attribute(name, value, flag.lower() == "ecert")
    return list(found.values())


def attribute_requests(texts: Sequence[str]) -> list[AttributeRequest]:
    """Read ``name`` and ``name:opt``."""
    from gridloom.client.enrollment import AttributeRequest  # noqa: PLC0415

    found = []
    for text in filter(None, texts):
        name, colon, option = text.partition(":")
        if colon and option != "opt":
            raise typer.BadParameter(f"requested attribute {text!r} is not NAME or NAME:opt")
        found.append(AttributeRequest(name, bool(colon)))
    return found


def described(identity: RegisteredIdentity, *, secret: bool = False) -> str:
    """Return what the command says of an identity, with its secret or without."""
    listed = " ".join(
        f"{{Name:{each.name} Value:{each.value} ECert:{str(each.ecert).lower()}}}"
        for each in identity.attributes
    )
    parts = [
        f"Name: {identity.name}",
        f"Type: {identity.kind}",
        f"Affiliation: {identity.affiliation}",
        f"Max Enrollments: {identity.max_enrollments}",
        *([f"Secret: {identity.secret}"] if secret else []),
        f"Attributes: [{listed}]",
    ]
    return ", ".join(parts)
