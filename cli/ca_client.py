"""``gridloom ca enroll | reenroll | register | revoke | gencrl | getcainfo | gencsr``.

The same commands are the program ``fabric-ca-client`` (``main``), with the options, variables,
files and folders of Fabric's, so that scripts written for that one run.
(Fabric: fabric-ca cmd/fabric-ca-client)
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import ca_affiliation, ca_certificate, ca_identity
from .ca_attributes import attribute_requests, attributes
from .ca_command import client_callback, client_command
from .ca_config_file import default_file
from .ca_settings import ClientSettings
from .running import run

if TYPE_CHECKING:
    from gridloom.client.enrollment import CaIdentity, EnrollmentRequest


def register_commands(app: typer.Typer, program: str) -> None:
    """Add the commands to an app; program: what one types before their names."""
    for function, example in (
        (enroll, "enroll -u https://alice:secret@localhost:7054 --tls.certfiles ca-cert.pem"),
        (reenroll, "reenroll --csr.keyrequest.reusekey"),
        (register, "register --id.name alice --id.attrs gridloom.role=SU:ecert"),
        (revoke, "revoke -e alice -r keycompromise --gencrl"),
        (gencrl, "gencrl --revokedafter 2026-11-20T00:00:00Z"),
        (getcainfo, "getcainfo -u https://localhost:7054 --tls.certfiles ca-cert.pem"),
        (gencsr, "gencsr --csr.cn alice"),
    ):
        app.command(epilog=f"Example: {program} {example}")(client_command(function))
    app.command("getcacert", hidden=True, epilog=f"Example: {program} getcacert")(
        client_command(getcainfo)
    )
    for name, module in (
        ("identity", ca_identity),
        ("affiliation", ca_affiliation),
        ("certificate", ca_certificate),
    ):
        app.add_typer(module.group(program), name=name)


def enroll(settings: ClientSettings) -> None:
    """Get a certificate for the name and secret in the URL, with a new key."""
    name, secret = settings.credentials
    url = settings.url
    if not name:
        host = url.netloc.rpartition("@")[2]
        raise typer.BadParameter(
            f"it carries no name and secret; {url.scheme}://NAME:SECRET@{host} is expected",
            param_hint="--url",
        )
    if settings.text("enrollment.type") != "x509":
        raise typer.BadParameter("x509 is all there is", param_hint="--enrollment.type")
    _make_file(settings, name)
    request = _enrollment_request(settings)
    _store(settings, run(settings.authority().enroll(name, secret, request)))


def reenroll(settings: ClientSettings) -> None:
    """Get a new certificate for who is enrolled."""
    me = settings.identity()
    key = me.private_key if settings.flag("csr.keyrequest.reusekey") else None
    _store(settings, run(me.reenroll(_enrollment_request(settings, key))))


def register(settings: ClientSettings) -> None:
    """Make somebody known to the CA and print the secret to enrol with."""
    from gridloom.client.enrollment import Attribute, Registration  # noqa: PLC0415

    name = settings.text("id.name")
    if not name:
        raise typer.BadParameter("whom?", param_hint="--id.name")
    given = attributes(settings.texts("id.attrs"))
    listed = [Attribute.read(each) for each in settings.entries("id.attributes")]
    registration = Registration(
        name,
        settings.text("id.secret"),
        settings.text("id.type"),
        settings.text("id.affiliation"),
        given or listed,
        settings.number("id.maxenrollments"),
    )
    typer.echo(f"Password: {run(settings.identity().register(registration))}")


def revoke(
    settings: ClientSettings,
    gencrl: Annotated[
        bool, typer.Option("--gencrl", help="Store a list of all that is revoked, too.")
    ] = False,
) -> None:
    """Revoke somebody's certificates, or the one with a serial number and an AKI."""
    name, serial, aki, reason = (
        settings.text(f"revoke.{each}") for each in ("name", "serial", "aki", "reason")
    )
    if not name and not (serial and aki):
        raise typer.BadParameter("give --revoke.name, or both --revoke.serial and --revoke.aki")
    me = settings.identity()
    done = run(me.revoke(name, serial=serial, authority_key_id=aki, reason=reason, crl=gencrl))
    listed = " ".join(f"{{{each.serial} {each.authority_key_id}}}" for each in done.certificates)
    settings.inform(f"Successfully revoked certificates: [{listed}]")
    if done.crl is not None:
        _store_revocations(settings, done.crl)


def gencrl(
    settings: ClientSettings,
    revokedafter: Annotated[str, typer.Option(help="Only what was revoked after this.")] = "",
    revokedbefore: Annotated[str, typer.Option(help="Only what was revoked before this.")] = "",
    expireafter: Annotated[str, typer.Option(help="Only what expires after this.")] = "",
    expirebefore: Annotated[str, typer.Option(help="Only what expires before this.")] = "",
) -> None:
    """Store a list of the revoked certificates as crls/crl.pem; times are UTC in RFC 3339."""
    from gridloom.client.enrollment import RevocationWindow  # noqa: PLC0415

    revoked = _span("revoked", revokedafter, revokedbefore)
    window = RevocationWindow(*revoked, *_span("expire", expireafter, expirebefore))
    crl = run(settings.identity().revocation_list(window))
    settings.inform("Successfully generated the CRL")
    _store_revocations(settings, crl)


def getcainfo(settings: ClientSettings) -> None:
    """Store the CA's certificate chain in the MSP folder."""
    info = run(settings.authority().info())
    _tell(settings, settings.msp_folder().trust(info, settings.text("enrollment.profile")))


def gencsr(settings: ClientSettings) -> None:
    """Make a key and a request for a certificate, without asking any CA."""
    from gridloom.client.enrollment import new_key, signing_request  # noqa: PLC0415

    name = settings.text("csr.cn")
    _make_file(settings, name)
    name = name or settings.text("csr.cn")
    if not name:
        raise typer.BadParameter("for whom?", param_hint="--csr.cn")
    key = new_key(settings.text("csr.keyrequest.algo"), settings.number("csr.keyrequest.size"))
    request = signing_request(name, key, _subject(settings), settings.texts("csr.hosts"))
    _tell(settings, settings.msp_folder().store_request(name, key, request))


def _make_file(settings: ClientSettings, name: str) -> None:
    """Leave a configuration file for the commands to come, unless there is one."""
    if settings.file.exists():
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.file.write_text(default_file(settings, name), encoding="utf-8")
    settings.reread()
    settings.inform(f"Created a default configuration file at {settings.file}")


def _enrollment_request(settings: ClientSettings, key: Any = None) -> EnrollmentRequest:  # noqa: ANN401
    from gridloom.client.enrollment import EnrollmentRequest, new_key  # noqa: PLC0415

    algorithm, size = settings.text("csr.keyrequest.algo"), settings.number("csr.keyrequest.size")
    return EnrollmentRequest(
        profile=settings.text("enrollment.profile"),
        hosts=settings.texts("csr.hosts"),
        subject=_subject(settings),
        attributes=attribute_requests(settings.texts("enrollment.attrs")) or None,
        key=key or new_key(algorithm, size),
        label=settings.text("enrollment.label"),
    )


def _subject(settings: ClientSettings) -> list[tuple[str, str]]:
    """Return the rest of the request's subject: as given, else as the file has it."""
    pairs = []
    if settings.says("csr.names"):
        for name in settings.texts("csr.names"):
            part, equals, value = name.partition("=")
            if not equals:
                raise typer.BadParameter(f"{name!r} is not PART=VALUE", param_hint="--csr.names")
            pairs.append((part, value))
    else:
        for listed in settings.entries("csr.names"):
            pairs += [(str(part), str(value)) for part, value in listed.items() if value]
    serial = settings.text("csr.serialnumber")
    return [*pairs, ("SerialNumber", serial)] if serial else pairs


def _span(what: str, after: str, before: str) -> tuple[datetime | None, datetime | None]:
    start, end = _time(f"--{what}after", after), _time(f"--{what}before", before)
    if start and end and start > end:
        raise typer.BadParameter(f"{after} is after {before}", param_hint=f"--{what}after")
    return start, end


def _time(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
    if time.tzinfo is None:
        raise typer.BadParameter(f"{text} has no time zone; put Z behind it", param_hint=option)
    return time


def _store(settings: ClientSettings, identity: CaIdentity) -> None:
    profile = settings.text("enrollment.profile")
    _tell(settings, settings.msp_folder().store(identity, profile))


def _store_revocations(settings: ClientSettings, crl: bytes) -> None:
    file = settings.msp_folder().store_revocations(crl)
    settings.inform(f"Successfully stored the CRL in the file {file}")


def _tell(settings: ClientSettings, written: Any) -> None:  # noqa: ANN401
    for what, where in written.items():
        settings.inform(f"Stored {what} at {where}")


program = typer.Typer(
    name="fabric-ca-client",
    help="Fabric's certificate authority client, as Gridloom has it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@program.command()
def version() -> None:
    """Show the version."""
    from gridloom import __version__  # noqa: PLC0415

    python = ".".join(map(str, sys.version_info[:3]))
    typer.echo(f"fabric-ca-client:\n Version: {__version__}\n Python version: {python}")


@program.callback()
@client_callback
def fabric_ca_client() -> None:
    """Fabric's certificate authority client, as Gridloom has it."""


register_commands(program, "fabric-ca-client")


def main() -> None:
    """Run ``fabric-ca-client``."""
    from . import run_app  # noqa: PLC0415

    run_app(program)
