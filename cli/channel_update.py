"""A change of a channel's configuration from its idea to being in force, for all commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .running import channel_of, network_access, offline_access, run

if TYPE_CHECKING:
    from gridloom.deploy.access import NetworkAccess
    from gridloom.deploy.topology import ChannelSpec
    from gridloom.protos.common.common_pb2 import Envelope
    from gridloom.protos.common.configtx_pb2 import Config

    Change = Callable[[Config], Config]


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """The options of every change.

    organization: sends it; signers: sign it, all organisations of the channel if none are
    named; output: where to write it instead.
    """

    directory: Path
    channel: str
    organization: str
    signers: Sequence[str] | None
    output: Path | None


def apply_change(make: Callable[[NetworkAccess], Change], options: ChangeOptions) -> bool:
    """Sign and send a change, or write it as an update; whether it is in force now."""

    async def work() -> bool:
        from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415

        async with network_access(options.directory) as access:
            spec = channel_of(access, options.channel)
            operations = ChannelOperations(access)
            envelope = await operations.propose(spec, make(access), options.organization)
            if options.output is not None:
                options.output.write_bytes(envelope.SerializeToString())
                typer.echo(f"wrote {options.output}: it has to be signed, then sent", err=True)
                return False
            signers = options.signers or operations.organizations(spec)
            await send(access, spec, operations.sign(envelope, signers), options.organization)
            return True

    return run(work())


async def send(
    access: NetworkAccess, channel: ChannelSpec, envelope: Envelope, organization: str
) -> None:
    """Have an update ordered, and tell when it is in force."""
    from gridloom.deploy.channels import ChannelOperations  # noqa: PLC0415

    peers = await ChannelOperations(access).submit(channel, envelope, organization)
    typer.echo(f"the change is in force on channel {channel.name}: {', '.join(peers)}")


def remember_members(options: ChangeOptions, *, add: str = "", remove: str = "") -> None:
    """Keep in the network's folder who is a member of a channel now."""
    from dataclasses import replace  # noqa: PLC0415

    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    access = offline_access(options.directory)
    spec, topology = channel_of(access, options.channel), access.topology
    gone = [o.name for o in topology.organizations if remove in (o.name, o.msp_id, o.group)]
    members = [name for name in spec.members if name not in gone]
    if add:
        members.append(topology.organization(add).name)
    NetworkHome(options.directory).change_channel(replace(spec, members=tuple(members)))
