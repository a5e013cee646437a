"""``gridloom channel``: the channels of a running network.

The steps are those of ``configtxgen``, ``osnadmin channel`` and ``peer channel``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import channel_config
from .running import (
    DEFAULT_DIRECTORY,
    ChannelName,
    Directory,
    channel_of,
    network_access,
    organization_of,
    run,
)

if TYPE_CHECKING:
    from gridloom.deploy.access import NetworkAccess

app = typer.Typer(help="Make, join, change, give up channels.", no_args_is_help=True)
app.add_typer(channel_config.app, name="config")

Name = Annotated[str, typer.Argument(help="The channel.")]
Organizations = Annotated[
    list[str] | None, typer.Option("--org", "-o", help="An organisation; all members by default.")
]


@app.command("list", epilog="Example: gridloom channel list")
def list_channels(directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Show which channels each orderer and each peer takes part in."""

    async def work() -> None:
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415

        async with network_access(directory) as access:
            operations = ChannelOperations(access)
            for node in access.topology.orderers():
                with _named(node.name):
                    _row(node.name, await operations.orderer_admin(node).channels())
            for org in access.topology.organizations:
                for peer in org.peers:
                    admin = access.channel_admin(org.msp_id)
                    with _named(peer.name):
                        _row(peer.name, await admin.list(access.peer(peer.name)))

    run(work())


@app.command(epilog="Example: gridloom channel info")
def info(directory: Directory = DEFAULT_DIRECTORY, channel: ChannelName = "") -> None:
    """Show height and newest block of a channel on each of its orderers and peers."""

    async def work() -> None:
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415

        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            operations = ChannelOperations(access)
            for node in access.topology.orderers():
                if node.name in spec.orderers:
                    with _named(node.name):
                        shown = await operations.orderer_admin(node).channel(spec.name)
                        state = f"height {shown.height}, {shown.relation}, {shown.status}"
                        typer.echo(f"{node.name}: {state}")
            for org in access.topology.organizations:
                for peer in org.peers:
                    with _named(peer.name):
                        await _peer_row(access, org.msp_id, peer.name, spec.name)

    run(work())


@app.command(epilog="Example: gridloom channel fetch newest newest.block")
def fetch(
    block: Annotated[str, typer.Argument(help="newest, oldest, config, or a number.")],
    output: Annotated[Path, typer.Argument(help="The file to write.")],
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
) -> None:
    """Write a block, as the channel's orderer gives it out."""
    if not block.isdecimal() and block not in ("newest", "oldest", "config"):
        raise typer.BadParameter(f"{block!r} is none of newest, oldest, config, a number")

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            admin = access.channel_admin(access.topology.members(spec)[0].msp_id)
            orderer = access.orderer(spec)
            if block == "config":
                found = await admin.fetch_config_block(orderer, spec.name)
            else:
                number = None if block == "newest" else int(block.replace("oldest", "0"))
                found = await admin.fetch(orderer, spec.name, number)
            output.write_bytes(found.SerializeToString())
            typer.echo(f"block {found.header.number} of channel {spec.name}: {output}")

    run(work())


@app.command(epilog="Example: gridloom channel create second --member Org1 --member Org2")
def create(
    name: Name,
    member: Annotated[
        list[str] | None, typer.Option("--member", "-m", help="An organisation; all by default.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", exists=True, help="The channel's part of a description."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Only write the first block to this file.")
    ] = None,
    join: Annotated[bool, typer.Option(help="Join the members' peers, too.")] = True,
    directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Make a channel on its orderer, and join the peers of its members to it."""

    async def work() -> None:
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415
        from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

        async with network_access(directory) as access:
            operations = ChannelOperations(access, _progress)
            description = "" if config is None else config.read_text(encoding="utf-8")
            spec = operations.described(name, description, member or ())
            if output is not None:
                output.write_bytes(operations.first_block(spec).SerializeToString())
                typer.echo(f"first block of channel {name}: {output}")
                return
            block = await operations.create(spec)
            home = NetworkHome(directory)
            home.save_genesis(name, block)
            home.change_channel(spec)
            if join:
                await operations.join(spec, operations.peers(spec), block)
            typer.echo(f"channel {name}: {', '.join(spec.members)}")

    run(work())


@app.command("join", epilog="Example: gridloom channel join mychannel --org Org3")
def join_peers(
    name: Name,
    org: Organizations = None,
    peer: Annotated[
        list[str] | None, typer.Option("--peer", help="A peer's full name; all by default.")
    ] = None,
    block: Annotated[
        Path | None,
        typer.Option("--block", "-b", exists=True, help="The first block; asked of the orderer."),
    ] = None,
    directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Join peers of organisations to a channel (peer channel join)."""

    async def work() -> None:
        from gridloom.common.wire import parse  # noqa: PLC0415
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415
        from gridloom.protos.common.common_pb2 import Block  # noqa: PLC0415

        async with network_access(directory) as access:
            spec = channel_of(access, name)
            operations = ChannelOperations(access, _progress)
            first = None if block is None else parse(Block, block.read_bytes(), str(block))
            wanted = {organization_of(access, each) for each in org or spec.members}
            peers = [
                (each.msp_id, node)
                for each in access.topology.organizations
                for node in each.peers
                if each.msp_id in wanted and (not peer or node.name in peer)
            ]
            if not peers:
                raise typer.BadParameter("there is no such peer")
            joined = {node.name for _, node in await operations.joined(spec.name, peers)}
            todo = [(msp_id, node) for msp_id, node in peers if node.name not in joined]
            await operations.join(spec, todo, first)
            typer.echo(f"joined {name}: {', '.join(node.name for _, node in todo) or 'nobody new'}")

    run(work())


@app.command(epilog="Example: gridloom channel remove second")
def remove(name: Name, directory: Directory = DEFAULT_DIRECTORY) -> None:
    """Make the orderer give a channel up; peers keep what they have of it."""

    async def work() -> None:
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415

        async with network_access(directory) as access:
            await ChannelOperations(access, _progress).remove(channel_of(access, name))
            typer.echo(f"the orderers have given up {name}")

    run(work())


async def _peer_row(access: NetworkAccess, msp_id: str, name: str, channel_id: str) -> None:
    """Show what a peer has of a channel, if it has joined it."""
    admin, peer = access.channel_admin(msp_id), access.peer(name)
    if channel_id in await admin.list(peer):
        found = await admin.info(peer, channel_id)
        newest = found.currentBlockHash.hex()
        typer.echo(f"{name}: height {found.height}, newest block {newest}")


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Show what a node answers or why it does not; the others have their turn all the same."""
    from gridloom.common.errors import GridloomError  # noqa: PLC0415

    try:
        yield
    except GridloomError as error:
        typer.echo(f"{name}: {error}")


def _row(name: str, channels: Sequence[str]) -> None:
    typer.echo(f"{name}: {', '.join(channels) or 'none'}")


def _progress(step: str) -> None:
    typer.echo(f"  {step}", err=True)
