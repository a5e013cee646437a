"""``gridloom channel config add-consenter | remove-consenter | rotate-consenter``.

One at a time, while transactions flow; a change that would leave too few consenters alive is
refused by the orderer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .channel_changes import Output, Signers
from .channel_update import ChangeOptions, apply_change
from .running import DEFAULT_DIRECTORY, ChannelName, Directory, OrganizationName

if TYPE_CHECKING:
    from gridloom.deploy.access import NetworkAccess
    from gridloom.deploy.channels import Change

Endpoint = Annotated[str, typer.Argument(help="HOST:PORT of its cluster service.")]
ServerCertificate = Annotated[
    Path,
    typer.Option("--certificate", exists=True, help="PEM of the TLS certificate it shows."),
]
ClientCertificate = Annotated[
    Path | None,
    typer.Option("--client-certificate", exists=True, help="As a client, if it is another one."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to ``gridloom channel config``."""
    prefix = "Example: gridloom channel config"
    certificate = "--certificate tls/server.crt"
    app.command("add-consenter", epilog=f"{prefix} add-consenter host4:7055 {certificate}")(add)
    app.command("remove-consenter", epilog=f"{prefix} remove-consenter host4:7055")(remove)
    app.command("rotate-consenter", epilog=f"{prefix} rotate-consenter host1:7055 {certificate}")(
        rotate
    )


def add(
    endpoint: Endpoint,
    certificate: ServerCertificate,
    client_certificate: ClientCertificate = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Let one more orderer take part in ordering the channel.

    Start it with the configuration that this makes: `gridloom orderer start --join BLOCK`.
    """

    def change(_: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import add_consenter  # noqa: PLC0415

        server, client = certificate.read_bytes(), _read(client_certificate)
        return lambda config: add_consenter(config, endpoint, server, client)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def remove(
    endpoint: Endpoint,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Let an orderer take part no longer; it follows the channel until it gives it up."""

    def change(_: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import remove_consenter  # noqa: PLC0415

        return lambda config: remove_consenter(config, endpoint)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def rotate(
    endpoint: Endpoint,
    certificate: ServerCertificate,
    client_certificate: ClientCertificate = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Say that an orderer shows other certificates; then start it with them."""

    def change(_: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import rotate_consenter  # noqa: PLC0415

        server, client = certificate.read_bytes(), _read(client_certificate)
        return lambda config: rotate_consenter(config, endpoint, server, client)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def _read(path: Path | None) -> bytes:
    return b"" if path is None else path.read_bytes()
