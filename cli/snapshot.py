"""``gridloom ledger snapshot``: a channel's ledger at one block, as files others can join from.

What the commands print is what ``peer snapshot`` and ``peer channel joinbysnapshot`` print.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .running import (
    DEFAULT_DIRECTORY,
    ChannelName,
    Directory,
    OrganizationName,
    channel_of,
    network_access,
    organization_of,
    run,
)

if TYPE_CHECKING:
    from gridloom.client.admin import SnapshotAdmin
    from gridloom.common.rpc import Channel
    from gridloom.deploy.access import NetworkAccess

app = typer.Typer(help="Take ledger snapshots, and join channels from some.", no_args_is_help=True)

PeerName = Annotated[
    str, typer.Option("--peer", "-p", help="The peer; the organisation's first by default.")
]
LatestBlock = Annotated[
    int, typer.Option("--block", "-b", min=0, max=2**64 - 1, help="0 = the newest one, now.")
]
BlockNumber = Annotated[
    int, typer.Option("--block", "-b", min=1, max=2**64 - 1, help="The block asked for.")
]


@dataclass(frozen=True, slots=True)
class _Administration:
    """One peer as its organisation's administrator reaches it."""

    access: NetworkAccess
    admin: SnapshotAdmin
    peer: Channel

    def channel_id(self, name: str) -> str:
        return channel_of(self.access, name).name


@app.command(epilog="Example: gridloom ledger snapshot request --block 1000 --org Org1")
def request(
    block: LatestBlock = 0,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    peer: PeerName = "",
) -> None:
    """Ask a peer for a snapshot: of its newest block now, or of a block when it is committed.

    It will be in the peer's folder, under snapshots/completed/CHANNEL/BLOCK.
    """

    async def work() -> None:
        async with _administration(directory, org, peer) as here:
            await here.admin.request(here.peer, here.channel_id(channel), block)
            typer.echo("Snapshot request submitted successfully")

    run(work())


@app.command(epilog="Example: gridloom ledger snapshot cancel --block 1000")
def cancel(
    block: BlockNumber,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    peer: PeerName = "",
) -> None:
    """Withdraw the request for a snapshot of a block to come."""

    async def work() -> None:
        async with _administration(directory, org, peer) as here:
            await here.admin.cancel(here.peer, here.channel_id(channel), block)
            typer.echo("Snapshot request cancelled successfully")

    run(work())


@app.command(epilog="Example: gridloom ledger snapshot pending")
def pending(
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    peer: PeerName = "",
) -> None:
    """Show the blocks of which a snapshot is due or being made."""

    async def work() -> None:
        async with _administration(directory, org, peer) as here:
            numbers = await here.admin.pending(here.peer, here.channel_id(channel))
            listed = " ".join(str(number) for number in numbers)
            typer.echo(f"Successfully got pending snapshot requests: [{listed}]")

    run(work())


@app.command(epilog="Example: gridloom ledger snapshot join ./snapshots/completed/mychannel/1000")
def join(
    folder: Annotated[Path, typer.Argument(help="The snapshot, where the peer can read it.")],
    wait: Annotated[
        bool, typer.Option(help="Return once the peer has joined, or could not.")
    ] = True,
    directory: Directory = DEFAULT_DIRECTORY,
    org: OrganizationName = "",
    peer: PeerName = "",
) -> None:
    """Join a peer to the channel of a snapshot; it goes on with the block behind it."""

    async def work() -> None:
        async with _administration(directory, org, peer) as here:
            place = str(folder.absolute())
            if wait:
                channel = await here.admin.join_and_wait(here.peer, place)
                typer.echo(f"joined channel {channel} from the snapshot at {place}")
                return
            await here.admin.join(here.peer, place)
            typer.echo(
                "The joinbysnapshot operation is in progress. "
                "See how it stands with: gridloom ledger snapshot status"
            )

    run(work())


@app.command(epilog="Example: gridloom ledger snapshot status --org Org1")
def status(
    directory: Directory = DEFAULT_DIRECTORY, org: OrganizationName = "", peer: PeerName = ""
) -> None:
    """Show whether a peer is joining a channel from a snapshot just now."""

    async def work() -> None:
        async with _administration(directory, org, peer) as here:
            folder = await here.admin.joining_from(here.peer)
            typer.echo(
                "No joinbysnapshot operation is in progress"
                if folder is None
                else f"A joinbysnapshot operation is in progress for snapshot at {folder}"
            )

    run(work())


@asynccontextmanager
async def _administration(directory: Path, org: str, peer: str) -> AsyncIterator[_Administration]:
    async with network_access(directory) as access:
        msp_id = organization_of(access, org)
        names = [node.name for node in access.peers(msp_id)]
        wanted = [name for name in names if peer in (name, name.partition(".")[0])]
        if peer and not wanted:
            raise typer.BadParameter(f"no peer {peer!r}; there is: {', '.join(names)}")
        name = wanted[0] if peer else names[0]
        yield _Administration(access, access.snapshots(msp_id), access.peer(name))
