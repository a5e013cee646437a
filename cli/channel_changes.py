"""The usual changes of a channel's configuration, a command each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .channel_update import ChangeOptions, apply_change, remember_members
from .running import DEFAULT_DIRECTORY, ChannelName, Directory, OrganizationName

if TYPE_CHECKING:
    from gridloom.deploy.access import NetworkAccess
    from gridloom.protos.common.configtx_pb2 import Config, ConfigGroup

    Change = Callable[[Config], Config]

Output = Annotated[
    Path | None,
    typer.Option("--output", help="Only write the update, unsigned: for sign and update."),
]
Signers = Annotated[
    list[str] | None,
    typer.Option("--sign", help="An organisation that signs; all of the channel by default."),
]
Named = Annotated[str, typer.Argument(help="The organisation.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``gridloom channel config``."""
    prefix = "Example: gridloom channel config"
    app.command(epilog=f"{prefix} batch --max-messages 50 --timeout 500ms")(batch)
    app.command("add-org", epilog=f"{prefix} add-org Org3")(add_organization)
    app.command("remove-org", epilog=f"{prefix} remove-org Org3")(remove_organization)
    app.command(epilog=f"{prefix} anchors Org1 peer0.org1.example.com:7051")(anchors)
    app.command(epilog=f"{prefix} acl peer/Propose=/Channel/Application/Admins")(acl)
    app.command(epilog=f"{prefix} revoke Org1 --user User1")(revoke)


def batch(
    max_messages: Annotated[
        int | None, typer.Option("--max-messages", help="Messages in a block.")
    ] = None,
    absolute_max: Annotated[
        str, typer.Option("--absolute-max", help="Bytes that no block exceeds, such as 10 MB.")
    ] = "",
    preferred_max: Annotated[
        str, typer.Option("--preferred-max", help="Bytes of a block at best, such as 512 KB.")
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", help="How long a message waits for others: 500ms, 2s.")
    ] = "",
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Change when the orderer ends a block."""

    def change(_: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import BatchChange, set_batch  # noqa: PLC0415
        from gridloom.common.channel.durations import parse_duration  # noqa: PLC0415
        from gridloom.deploy.document import parse_size  # noqa: PLC0415

        wanted = BatchChange(
            max_messages,
            parse_size(absolute_max) if absolute_max else None,
            parse_size(preferred_max) if preferred_max else None,
            parse_duration(timeout) if timeout else None,
        )
        return lambda config: set_batch(config, wanted)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def add_organization(
    name: Named,
    msp: Annotated[
        Path | None,
        typer.Option("--msp", exists=True, help="Its MSP folder, if it is not of this network."),
    ] = None,
    msp_id: Annotated[str, typer.Option("--msp-id", help="Of that folder; NAME + MSP.")] = "",
    definition: Annotated[
        Path | None,
        typer.Option("--definition", exists=True, help="What configtxgen -printOrg printed."),
    ] = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Make an organisation a member of the channel.

    One of this network's description needs only its name. Its peers join then with
    `gridloom channel join`.
    """

    def change(access: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import add_organization  # noqa: PLC0415

        key, group = _organization(access, name, msp, msp_id, definition)
        return lambda config: add_organization(config, key, group)

    options = ChangeOptions(directory, channel, org, sign, output)
    if apply_change(change, options) and msp is None and definition is None:
        remember_members(options, add=name)


def remove_organization(
    name: Named,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Put an organisation out of the channel."""

    def change(access: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import remove_organization  # noqa: PLC0415

        group = _group_of(access, name)
        return lambda config: remove_organization(config, group)

    options = ChangeOptions(directory, channel, org, sign, output)
    if apply_change(change, options):
        remember_members(options, remove=name)


def anchors(
    name: Named,
    peers: Annotated[
        list[str] | None, typer.Argument(help="host:port of each; none removes them.")
    ] = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Set the anchor peers of an organisation."""
    pairs = [_address(peer) for peer in peers or ()]

    def change(access: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import set_anchor_peers  # noqa: PLC0415

        group = _group_of(access, name)
        return lambda config: set_anchor_peers(config, group, pairs)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def acl(
    entries: Annotated[
        list[str], typer.Argument(help="RESOURCE=POLICY; RESOURCE= restores the default.")
    ],
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Set which policy the callers of a resource must satisfy."""
    policies = {}
    for entry in entries:
        resource, equals, policy = entry.partition("=")
        if not equals or not resource:
            raise typer.BadParameter(f"{entry!r} is not RESOURCE=POLICY")
        policies[resource] = policy

    def change(_: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import set_acls  # noqa: PLC0415

        return lambda config: set_acls(config, policies)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def revoke(
    name: Named,
    user: Annotated[
        list[str] | None, typer.Option("--user", help="A user of this network's organisation.")
    ] = None,
    crl: Annotated[
        list[Path] | None,
        typer.Option("--crl", exists=True, help="A revocation list of the organisation's CA."),
    ] = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Add a certificate revocation list to an organisation's MSP."""
    if not user and not crl:
        raise typer.BadParameter("name a --user or a --crl")

    def change(access: NetworkAccess) -> Change:
        from gridloom.common.channel.changes import add_revocations  # noqa: PLC0415

        lists = [path.read_bytes() for path in crl or ()]
        if user:
            lists.append(access.material.revocation_list(name, user))
        group = _group_of(access, name)
        return lambda config: add_revocations(config, group, lists)

    apply_change(change, ChangeOptions(directory, channel, org, sign, output))


def _organization(
    access: NetworkAccess, name: str, msp: Path | None, msp_id: str, definition: Path | None
) -> tuple[str, ConfigGroup]:
    """The key of a new organisation in the configuration, and its group."""
    from gridloom.common.channel.groups import (  # noqa: PLC0415
        application_org_group,
        application_org_rules,
    )
    from gridloom.common.documents import load_json  # noqa: PLC0415
    from gridloom.common.msp_directory import load_msp  # noqa: PLC0415
    from gridloom.common.protolator import encode  # noqa: PLC0415
    from gridloom.deploy.configtx import organization_group  # noqa: PLC0415
    from gridloom.protos.common.configtx_pb2 import ConfigGroup  # noqa: PLC0415

    if definition is not None:
        try:
            return name, encode(ConfigGroup, load_json(definition.read_bytes()))
        except ValueError as error:
            raise typer.BadParameter(f"{definition} is not JSON: {error}") from None
    if msp is not None:
        named = msp_id or f"{name}MSP"
        return name, application_org_group(load_msp(msp, named), application_org_rules(named))
    try:
        org = access.topology.organization(name)
    except KeyError:
        known = ", ".join(each.name for each in access.topology.organizations)
        reason = f"no organisation {name!r} in this network; there is: {known}; or give its --msp"
        raise typer.BadParameter(reason) from None
    return org.group, organization_group(org, access.material.msp_config(org.msp_id))


def _group_of(access: NetworkAccess, name: str) -> str:
    """The key of an organisation in the configuration; the name itself if it is not of here."""
    topology = access.topology
    orgs = [(o.group, o.name, o.msp_id) for o in topology.organizations]
    orgs += [(o.group, o.name, o.msp_id) for o in topology.orderer_organizations]
    return next((names[0] for names in orgs if name in names), name)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise typer.BadParameter(f"{text!r} is not host:port")
    return host, int(port)
