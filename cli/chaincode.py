"""``gridloom chaincode``: from a folder of Python to a chaincode on a channel.

The steps are those of ``peer lifecycle chaincode``; ``deploy`` takes them all at once.
"""

from __future__ import annotations

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
    from gridloom.client.admin import ChaincodeDefinition

app = typer.Typer(help="Package, install, approve, commit chaincodes.", no_args_is_help=True)

Source = Annotated[
    Path, typer.Argument(help="A module, a package folder, or a packaged .tar.gz.", exists=True)
]
Package = Annotated[Path, typer.Argument(help="The package, a .tar.gz.", exists=True)]
Name = Annotated[str, typer.Argument(help="The chaincode's name on the channel.")]
Version = Annotated[str, typer.Option("--version", "-v", help="Free text for people.")]
Sequence = Annotated[
    int, typer.Option("--sequence", "-s", min=0, help="Of the definition; 0 = the next one.")
]
Policy = Annotated[
    str,
    typer.Option("--policy", help="AND('Org1MSP.peer','Org2MSP.peer'), or a /Channel/... path."),
]
Collections = Annotated[
    Path | None,
    typer.Option(
        "--collections", exists=True, dir_okay=False, help="Private data, a JSON file as `peer`'s."
    ),
]
InitRequired = Annotated[
    bool, typer.Option("--init-required", help="The first call must be an init call.")
]


@app.command(epilog="Example: gridloom chaincode package ./basic -o basic.tar.gz")
def package(
    source: Annotated[
        Path | None, typer.Argument(help="A module or a package folder.", exists=True)
    ] = None,
    service: Annotated[
        str, typer.Option("--service", help="Instead: HOST:PORT where the chaincode runs.")
    ] = "",
    label: Annotated[str, typer.Option("--label", "-l", help="Begins the package id.")] = "",
    module: Annotated[
        str, typer.Option("--module", "-m", help="Where its contracts are, if not obvious.")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; LABEL.tar.gz by default.")
    ] = None,
) -> None:
    """Make a package of a folder or module, or of a service's address, and print its id."""
    from gridloom.deploy.packaging import (  # noqa: PLC0415
        package_id_of,
        package_service,
        package_source,
    )

    if source is not None and not service:
        label = label or source.resolve().stem
        data = package_source(source, label=label, module=module)
    elif service and source is None:
        if not label:
            raise typer.BadParameter("a service needs a --label")
        data = package_service(service, label)
    else:
        raise typer.BadParameter("give either a source or a --service")
    target = output or Path(f"{label}.tar.gz")
    target.write_bytes(data)
    typer.echo(package_id_of(data))


@app.command(epilog="Example: gridloom chaincode install basic.tar.gz --org Org1")
def install(
    package: Package,
    org: Annotated[
        list[str] | None, typer.Option("--org", "-o", help="Organisations; all by default.")
    ] = None,
    directory: Directory = DEFAULT_DIRECTORY,
) -> None:
    """Install a package on the peers of organisations and print its id."""

    async def work() -> None:
        async with network_access(directory) as access:
            names = org or [each.msp_id for each in access.topology.organizations]
            members = [organization_of(access, name) for name in names]
            typer.echo(await access.install(package.read_bytes(), members, _progress))

    run(work())


@app.command(epilog="Example: gridloom chaincode approve basic --package-id basic_1.0:5f2b... -o 1")
def approve(
    name: Name,
    package_id: Annotated[str, typer.Option("--package-id", help="What the peers run.")] = "",
    version: Version = "1.0",
    sequence: Sequence = 0,
    policy: Policy = "",
    init_required: InitRequired = False,
    collections: Collections = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Approve a definition for one organisation."""

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            msp_id = organization_of(access, org)
            definition = _definition(
                name,
                version,
                sequence or await access.next_sequence(spec, name),
                policy,
                init_required,
                collections,
            )
            peer = access.peer(access.peers(msp_id)[0].name)
            tx_id = await access.lifecycle(msp_id).approve(
                peer, access.orderer(spec), spec.name, definition, package_id
            )
            typer.echo(f"{msp_id} approved {name} sequence {definition.sequence}: {tx_id}")

    run(work())


@app.command(epilog="Example: gridloom chaincode commit basic --version 1.0")
def commit(
    name: Name,
    version: Version = "1.0",
    sequence: Sequence = 0,
    policy: Policy = "",
    init_required: InitRequired = False,
    collections: Collections = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Commit a definition that enough organisations have approved."""

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            msp_id = organization_of(access, org)
            definition = _definition(
                name,
                version,
                sequence or await access.next_sequence(spec, name),
                policy,
                init_required,
                collections,
            )
            lifecycle = access.lifecycle(msp_id)
            first = access.peer(access.peers(msp_id)[0].name)
            ready = await lifecycle.readiness(first, spec.name, definition)
            typer.echo(
                "approvals: "
                + ", ".join(f"{each} {'yes' if ready[each] else 'no'}" for each in sorted(ready))
            )
            peers = [access.peer(o.peers[0].name) for o in access.topology.members(spec)]
            tx_id = await lifecycle.commit(peers, access.orderer(spec), spec.name, definition)
            typer.echo(f"committed {name} sequence {definition.sequence}: {tx_id}")

    run(work())


@app.command(epilog="Example: gridloom chaincode deploy ./basic")
def deploy(
    source: Source,
    name: Annotated[
        str, typer.Option("--name", "-n", help="Its name; from SOURCE by default.")
    ] = "",
    module: Annotated[
        str, typer.Option("--module", "-m", help="Where its contracts are, if not obvious.")
    ] = "",
    version: Version = "1.0",
    policy: Policy = "",
    init_required: InitRequired = False,
    collections: Collections = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
) -> None:
    """Package, install and approve for every member of the channel, and commit.

    Deploying again under the same name is an upgrade: the sequence goes up by one.
    """
    from gridloom.deploy.chaincode_source import ChaincodeSource  # noqa: PLC0415
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415

    chaincode = ChaincodeSource.read(source, name=name, version=version, module=module)
    home = NetworkHome(directory)
    home.state()
    chaincode.remember(home)

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            definition = _definition(
                chaincode.name,
                version,
                await access.next_sequence(spec, chaincode.name),
                policy,
                init_required,
                collections,
            )
            package_id = await access.deploy_chaincode(
                chaincode.package, definition, spec, _progress
            )
            typer.echo(
                f"{chaincode.name} version {version}, sequence {definition.sequence}, is on "
                f"channel {spec.name}: {package_id}"
            )

    run(work())


@app.command("list", epilog="Example: gridloom chaincode list")
def list_chaincodes(directory: Directory = DEFAULT_DIRECTORY, channel: ChannelName = "") -> None:
    """Show what is installed on each peer and committed on the channel."""

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            for org in access.topology.members(spec):
                for peer in org.peers:
                    installed = await access.lifecycle(org.msp_id).installed(access.peer(peer.name))
                    typer.echo(f"{peer.name}: {', '.join(sorted(installed)) or 'nothing'}")
            first = access.topology.members(spec)[0]
            defined = await access.lifecycle(first.msp_id).all_committed(
                access.peer(first.peers[0].name), spec.name
            )
            for chaincode in defined.chaincode_definitions:
                typer.echo(
                    f"channel {spec.name}: {chaincode.name} version {chaincode.version} "
                    f"sequence {chaincode.sequence}"
                )

    run(work())


def _definition(
    name: str,
    version: str,
    sequence: int,
    policy: str,
    init_required: bool,
    collections: Path | None,
) -> ChaincodeDefinition:
    from gridloom.client.admin import ChaincodeDefinition, parse_collections  # noqa: PLC0415

    private = None if collections is None else parse_collections(collections.read_bytes())
    return ChaincodeDefinition(name, version, sequence, init_required, policy, private)


def _progress(step: str) -> None:
    typer.echo(f"  {step}", err=True)
