"""Running a command's coroutine, and the options that many commands share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from gridloom.deploy.access import NetworkAccess
    from gridloom.deploy.topology import ChannelSpec

T = TypeVar("T")

DEFAULT_DIRECTORY = Path("gridloom-data")
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended, by the shell's convention."""

Directory = Annotated[
    Path,
    typer.Option("--dir", "-d", envvar="GRIDLOOM_DIR", help="The folder of the network."),
]
ChannelName = Annotated[
    str, typer.Option("--channel", "-C", help="The channel; the network's first by default.")
]
OrganizationName = Annotated[
    str,
    typer.Option("--org", "-o", help="Act as this organisation; the network's first by default."),
]
UserName = Annotated[
    str,
    typer.Option("--user", "-u", help="Act as this user of it; by default User1 or its first."),
]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where that is installed."""
    import asyncio  # noqa: PLC0415

    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        runner = asyncio.Runner()
    else:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        with runner:
            return runner.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


@asynccontextmanager
async def network_access(directory: Path) -> AsyncIterator[NetworkAccess]:
    """Connect to the running network of a folder; HomeError if it does not run."""
    from gridloom.deploy.access import NetworkAccess  # noqa: PLC0415
    from gridloom.deploy.home import STANDALONE, HomeError, NetworkHome  # noqa: PLC0415

    home = NetworkHome(directory)
    access = NetworkAccess.open(home)
    if home.process_id() is None and home.state().get("mode") != STANDALONE:
        raise HomeError(home.path, "the network is not running; start it with: gridloom up")
    try:
        yield access
    finally:
        await access.close()


def offline_access(directory: Path) -> NetworkAccess:
    """Return the network of a folder for what needs its credentials only, running or not."""
    from gridloom.deploy.access import NetworkAccess  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    return NetworkAccess.open(NetworkHome(directory))


def channel_of(access: NetworkAccess, name: str) -> ChannelSpec:
    """Return the channel an option names, or the first one."""
    if not name:
        return access.topology.channels[0]
    try:
        return access.topology.channel(name)
    except KeyError:
        known = ", ".join(channel.name for channel in access.topology.channels)
        raise typer.BadParameter(f"no channel {name!r}; there is: {known}") from None


def organization_of(access: NetworkAccess, name: str) -> str:
    """Return the MSP id of the organisation an option names, or of the first one."""
    if not name:
        return access.topology.organizations[0].msp_id
    try:
        return access.topology.organization(name).msp_id
    except KeyError:
        known = ", ".join(org.name for org in access.topology.organizations)
        raise typer.BadParameter(f"no organisation {name!r}; there is: {known}") from None


def user_of(access: NetworkAccess, msp_id: str, name: str) -> str:
    """Return the user an option names, or User1, or the first that is no administrator."""
    users = access.material.organization(msp_id).users
    if name or "User1" in users:
        return name or "User1"
    return min(users, key=lambda user: (user == "Admin", user), default="Admin")
