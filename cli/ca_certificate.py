"""``gridloom ca certificate``: the certificates that a CA has issued.

(Fabric: fabric-ca cmd/fabric-ca-client/command/certificate.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .ca_command import client_group
from .ca_settings import ClientSettings
from .running import run


def group(program: str) -> typer.Typer:
    """Return the commands; program: what one types before their names."""
    return client_group(
        f"{program} certificate",
        "Certificates that a CA has issued.",
        {"list": (list_certificates, "--id alice --notrevoked")},
    )


def list_certificates(
    settings: ClientSettings,
    identity: Annotated[str, typer.Option("--id", help="Only of this identity.")] = "",
    serial: Annotated[str, typer.Option(help="Only with this serial number, in hex.")] = "",
    aki: Annotated[str, typer.Option(help="Only with this authority key id, in hex.")] = "",
    expiration: Annotated[
        str, typer.Option(help="Only what expires between: 2026-01-01::2026-01-30, -30d::now.")
    ] = "",
    revocation: Annotated[str, typer.Option(help="Only what was revoked between.")] = "",
    notexpired: Annotated[bool, typer.Option("--notexpired", help="Nothing expired.")] = False,
    notrevoked: Annotated[bool, typer.Option("--notrevoked", help="Nothing revoked.")] = False,
    store: Annotated[str, typer.Option(help="Store them in this folder, too.")] = "",
) -> None:
    """Show the certificates that one may see."""
    from gridloom.client.enrollment import CertificateFilter  # noqa: PLC0415

    wanted = CertificateFilter(
        identity,
        serial,
        aki,
        *_range("--revocation", revocation),
        *_range("--expiration", expiration),
        not_revoked=notrevoked,
        not_expired=notexpired,
    )
    found = run(settings.identity().certificates(wanted))
    for pem in found:
        typer.echo(_described(pem))
    if not found:
        typer.echo("No results returned")
    if store:
        _store(settings.home / store, found)


def _range(option: str, text: str) -> tuple[str, str]:
    """Read ``start::end``, of which either may be missing and ``now`` is a word."""
    start, separator, end = text.partition("::")
    if text and (not separator or "/" in text):
        raise typer.BadParameter(f"{text!r} is not START::END", param_hint=option)
    now = f"{datetime.now(UTC):%FT%TZ}"
    first, last = (now if part.lower() == "now" else part for part in (start, end))
    return first, last


def _described(pem: bytes) -> str:
    """Return what people look for in a certificate, by OpenSSL's words."""
    from gridloom.common.certificates import parse_pem  # noqa: PLC0415

    details = parse_pem(pem)
    certificate = details.certificate
    return "\n".join(
        (
            "Certificate:",
            f"    Serial Number: {details.serial_number} (0x{details.serial_number:x})",
            f"    Issuer: {certificate.issuer.rfc4514_string()}",
            "    Validity",
            f"        Not Before: {details.not_before:%b %e %T %Y} UTC",
            f"        Not After : {details.not_after:%b %e %T %Y} UTC",
            f"    Subject: {certificate.subject.rfc4514_string()}",
        )
    )


def _store(folder: Path, found: Sequence[bytes]) -> None:
    """Write certificates as NAME.pem, numbered where somebody has several."""
    from gridloom.common.certificates import parse_pem  # noqa: PLC0415
    from gridloom.common.msp_files import write_file  # noqa: PLC0415

    names = [parse_pem(pem).common_name.replace("/", "_") for pem in found]
    for index, (name, pem) in enumerate(zip(names, found, strict=True)):
        number = f"-{names[: index + 1].count(name)}" if names.count(name) > 1 else ""
        write_file(folder / f"{name}{number}.pem", pem)
