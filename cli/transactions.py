"""``gridloom invoke | query | events | blocks``: using a running network by hand."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .running import (
    DEFAULT_DIRECTORY,
    ChannelName,
    Directory,
    OrganizationName,
    UserName,
    channel_of,
    network_access,
    organization_of,
    run,
    user_of,
)

Chaincode = Annotated[str, typer.Argument(help="The chaincode, or chaincode:contract.")]
Function = Annotated[str, typer.Argument(help="The transaction function.")]
Arguments = Annotated[list[str] | None, typer.Argument(help="Its arguments.")]
Transient = Annotated[
    list[str] | None, typer.Option("--transient", "-t", help="KEY=VALUE kept out of the ledger.")
]
Endorsers = Annotated[
    list[str] | None, typer.Option("--endorse", help="An organisation that shall endorse.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command(epilog="Example: gridloom invoke basic CreateAsset asset7 blue 5 Tom 400")(invoke)
    app.command(epilog="Example: gridloom query basic GetAllAssets")(query)
    app.command(epilog="Example: gridloom events basic --from 0")(events)
    app.command(epilog="Example: gridloom blocks --from 0 --follow")(blocks)


def invoke(
    chaincode: Chaincode,
    function: Function,
    arguments: Arguments = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    user: UserName = "",
    transient: Transient = None,
    endorse: Endorsers = None,
    init: Annotated[
        bool, typer.Option("--init", help="The first call of a chaincode with --init-required.")
    ] = False,
) -> None:
    """Submit a transaction, wait until it is committed, print its result."""
    pairs = _pairs(transient)

    async def submit() -> None:
        async with network_access(directory) as access:
            name, _, contract_name = chaincode.partition(":")
            msp_id, spec = organization_of(access, org), channel_of(access, channel)
            actor = user_of(access, msp_id, user)
            endorsing = [organization_of(access, each) for each in endorse or ()]
            if init:
                qualified = f"{contract_name}:{function}" if contract_name else function
                call = [argument.encode() for argument in (qualified, *(arguments or ()))]
                secrets = {key: value.encode() for key, value in pairs.items()}
                tx_id, result = await access.initialize(
                    spec, name, call, msp_id, actor, transient=secrets, endorsing=endorsing
                )
                typer.echo(f"transaction {tx_id}: VALID", err=True)
                typer.echo(_text(result))
                return
            network = access.gateway(msp_id, actor).get_network(spec.name)
            submitted = await network.get_contract(name, contract_name).submit_async(
                function, arguments or [], transient=pairs, endorsing_organizations=endorsing
            )
            status = await submitted.get_status()
            typer.echo(
                f"transaction {status.transaction_id}: {status.name} in block "
                f"{status.block_number}",
                err=True,
            )
            if not status.successful:
                raise typer.Exit(1)
            typer.echo(_text(submitted.result))

    run(submit())


def query(
    chaincode: Chaincode,
    function: Function,
    arguments: Arguments = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    user: UserName = "",
    transient: Transient = None,
) -> None:
    """Evaluate a transaction function on one peer and print its result."""
    pairs = _pairs(transient)

    async def evaluate() -> None:
        async with network_access(directory) as access:
            name, _, contract_name = chaincode.partition(":")
            msp_id = organization_of(access, org)
            gateway = access.gateway(msp_id, user_of(access, msp_id, user))
            contract = gateway.get_network(channel_of(access, channel).name).get_contract(
                name, contract_name
            )
            result = await contract.evaluate(function, arguments or [], transient=pairs)
            typer.echo(_text(result))

    run(evaluate())


def events(
    chaincode: Chaincode,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    user: UserName = "",
    start: Annotated[
        int | None, typer.Option("--from", min=0, help="First block; only new ones by default.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Stop after so many.")] = 2**31,
) -> None:
    """Print a chaincode's events as they are committed, one JSON line each, until Ctrl-C."""

    async def listen() -> None:
        async with network_access(directory) as access:
            msp_id = organization_of(access, org)
            gateway = access.gateway(msp_id, user_of(access, msp_id, user))
            network = gateway.get_network(channel_of(access, channel).name)
            count = 0
            async for event in network.chaincode_events(chaincode, start_block=start):
                line = {
                    "block": event.block_number,
                    "transaction": event.transaction_id,
                    "event": event.event_name,
                    "payload": _text(event.payload),
                }
                typer.echo(json.dumps(line))
                count += 1
                if count >= limit:
                    return

    run(listen())


def blocks(
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
    user: UserName = "",
    start: Annotated[int, typer.Option("--from", min=0, help="First block.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new ones.")] = False,
) -> None:
    """Print blocks with their transactions and validation codes."""

    async def show() -> None:
        from gridloom.client.errors import code_name  # noqa: PLC0415
        from gridloom.protos.common.common_pb2 import HeaderType  # noqa: PLC0415
        from gridloom.protos.peer.events_pb2 import FilteredBlock  # noqa: PLC0415

        async with network_access(directory) as access:
            msp_id = organization_of(access, org)
            name = channel_of(access, channel).name
            peer = access.peer(access.peers(msp_id)[0].name)
            height = (await access.channel_admin(msp_id).info(peer, name)).height
            if start >= height and not follow:
                return
            gateway = access.gateway(msp_id, user_of(access, msp_id, user))
            network = gateway.get_network(name)
            async for block in network.filtered_block_events(start_block=start):
                if not isinstance(block, FilteredBlock):
                    continue
                typer.echo(f"block {block.number}")
                for transaction in block.filtered_transactions:
                    kind = HeaderType.Name(transaction.type).lower().replace("_", " ")
                    code = code_name(transaction.tx_validation_code)
                    typer.echo(f"  {code:28} {kind:22} {transaction.txid}")
                if block.number + 1 >= height and not follow:
                    return

    run(show())


def _pairs(options: list[str] | None) -> dict[str, str]:
    pairs = {}
    for option in options or []:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"{option!r} is not KEY=VALUE")
        pairs[key] = value
    return pairs


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.hex()
