"""``gridloom channel config``: reading and changing a channel's configuration.

Every change can be made at once (signed by the organisations whose administrators are at
hand, and sent), or written to a file with ``--output``, which then goes from one organisation
to the next: ``sign``, ``sign``, ``update``.  (Fabric: configtxlator, peer channel signconfigtx,
peer channel update.)
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from . import channel_changes, consenters
from .channel_changes import Output, Signers
from .channel_update import ChangeOptions, apply_change
from .channel_update import send as send_update
from .running import (
    DEFAULT_DIRECTORY,
    ChannelName,
    Directory,
    OrganizationName,
    UserName,
    channel_of,
    network_access,
    offline_access,
    run,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from gridloom.common.protolator import Json
    from gridloom.protos.common.configtx_pb2 import Config

app = typer.Typer(help="Read and change a channel's configuration.", no_args_is_help=True)
channel_changes.register(app)
consenters.register(app)

Source = Annotated[Path, typer.Argument(help="The file to read.", exists=True, dir_okay=False)]
Target = Annotated[
    Path | None, typer.Option("--output", help="The file to write; standard output by default.")
]
Kind = Annotated[
    str,
    typer.Option("--type", "-t", help="block, config, update, envelope, or such as common.Block."),
]
Update = Annotated[Path, typer.Argument(help="The update's file.", exists=True, dir_okay=False)]


@app.command(epilog="Example: gridloom channel config fetch --json")
def fetch(
    json_form: Annotated[bool, typer.Option("--json", help="As JSON, not as protobuf.")] = False,
    block: Annotated[bool, typer.Option("--block", help="The whole block it came with.")] = False,
    output: Target = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
) -> None:
    """Read the configuration in force from the channel's orderer."""

    async def work() -> None:
        async with network_access(directory) as access:
            spec = channel_of(access, channel)
            admin = access.channel_admin(access.topology.members(spec)[0].msp_id)
            orderer = access.orderer(spec)
            found: Message = (
                await admin.fetch_config_block(orderer, spec.name)
                if block
                else await admin.fetch_config(orderer, spec.name)
            )
            _write(_text(found) if json_form else found.SerializeToString(), output)

    run(work())


@app.command(epilog="Example: gridloom channel config decode config.block")
def decode(source: Source, kind: Kind = "", output: Target = None) -> None:
    """Turn a message into JSON (configtxlator proto_decode)."""
    from gridloom.common.protolator import kind_named, recognise  # noqa: PLC0415
    from gridloom.common.wire import parse  # noqa: PLC0415

    data = source.read_bytes()
    _write(_text(parse(kind_named(kind), data) if kind else recognise(data)), output)


@app.command(epilog="Example: gridloom channel config encode config.json --output config.pb")
def encode(source: Source, kind: Kind = "", output: Target = None) -> None:
    """Turn JSON into a message (configtxlator proto_encode)."""
    from gridloom.common.protolator import (  # noqa: PLC0415
        encode,
        kind_named,
        recognise_json,
    )

    tree = _json(source)
    message = encode(kind_named(kind) if kind else recognise_json(tree), tree)
    _write(message.SerializeToString(deterministic=True), output)


@app.command(epilog="Example: gridloom channel config compute old.json new.json --output update.pb")
def compute(
    original: Annotated[Path, typer.Argument(help="The configuration as it is.", exists=True)],
    updated: Annotated[Path, typer.Argument(help="As it shall be.", exists=True)],
    output: Annotated[Path, typer.Option("--output", help="The update, for sign and update.")],
    channel: Annotated[str, typer.Option("--channel", "-C", help="The channel's name.")],
    bare: Annotated[
        bool, typer.Option("--bare", help="The update alone, as configtxlator writes it.")
    ] = False,
) -> None:
    """Compute the update that leads from one configuration to another.

    Either may be JSON, protobuf, or the block that brought it.
    """
    from gridloom.client.admin.config_update import make_update  # noqa: PLC0415
    from gridloom.common.channel.update import compute_update  # noqa: PLC0415

    configs = _config(original), _config(updated)
    message = compute_update(channel, *configs) if bare else make_update(channel, *configs)
    _write(message.SerializeToString(deterministic=True), output)


@app.command(
    epilog="Example: gridloom channel config edit "
    "--set channel_group.groups.Orderer.values.BatchTimeout.value.timeout=1s"
)
def edit(
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="PATH=VALUE; a path is keys with dots between them."),
    ] = None,
    deletions: Annotated[
        list[str] | None, typer.Option("--delete", help="A path to take away.")
    ] = None,
    output: Output = None,
    sign: Signers = None,
    directory: Directory = DEFAULT_DIRECTORY,
    channel: ChannelName = "",
    org: OrganizationName = "",
) -> None:
    """Change the configuration: at some paths, or as JSON in $EDITOR."""

    def change(config: Config) -> Config:
        from gridloom.common import protolator  # noqa: PLC0415

        tree: Json = protolator.decode(config)
        for path in deletions or ():
            protolator.remove(tree, path)
        for setting in settings or ():
            path, value = _setting(setting)
            protolator.assign(tree, path, value)
        if not settings and not deletions:
            tree = _edited(protolator.render(tree))
        return protolator.encode(type(config), tree)

    apply_change(lambda _: change, ChangeOptions(directory, channel, org, sign, output))


@app.command(epilog="Example: gridloom channel config sign update.pb --org Org2")
def sign(
    update: Update,
    output: Annotated[
        Path | None, typer.Option("--output", help="Where to write it; the same file by default.")
    ] = None,
    msp: Annotated[
        Path | None,
        typer.Option("--msp", exists=True, help="Sign as the owner of this MSP folder."),
    ] = None,
    msp_id: Annotated[str, typer.Option("--msp-id", help="The MSP id of that folder.")] = "",
    directory: Directory = DEFAULT_DIRECTORY,
    org: OrganizationName = "",
    user: UserName = "Admin",
) -> None:
    """Add an administrator's signature to an update (peer channel signconfigtx)."""
    from gridloom.client.admin.config_update import UpdateSigner, signers_of  # noqa: PLC0415
    from gridloom.common.msp_directory import load_signing_identity  # noqa: PLC0415
    from gridloom.common.wire import parse  # noqa: PLC0415
    from gridloom.protos.common.common_pb2 import Envelope  # noqa: PLC0415

    if msp is not None:
        if not msp_id:
            raise typer.BadParameter("--msp needs the folder's --msp-id")
        signer = load_signing_identity(msp, msp_id)
    else:
        access = offline_access(directory)
        signer = access.signer(org or access.topology.organizations[0].msp_id, user)
    signed = UpdateSigner(signer).sign(parse(Envelope, update.read_bytes(), str(update)))
    _write(signed.SerializeToString(), output or update)
    typer.echo(f"signed by {', '.join(signers_of(signed))}", err=True)


@app.command("update", epilog="Example: gridloom channel config update update.pb --org Org1")
def send(
    update: Update,
    directory: Directory = DEFAULT_DIRECTORY,
    org: OrganizationName = "",
) -> None:
    """Sign an update, too, and have it ordered (peer channel update)."""

    async def work() -> None:
        from gridloom.client.admin.config_update import channel_of as named  # noqa: PLC0415
        from gridloom.common.wire import parse  # noqa: PLC0415
        from gridloom.protos.common.common_pb2 import Envelope  # noqa: PLC0415

        async with network_access(directory) as access:
            envelope = parse(Envelope, update.read_bytes(), str(update))
            spec = channel_of(access, named(envelope))
            await send_update(access, spec, envelope, org)

    run(work())


def _setting(text: str) -> tuple[str, Json]:
    from gridloom.common.documents import load_json  # noqa: PLC0415

    path, equals, value = text.partition("=")
    if not equals or not path:
        raise typer.BadParameter(f"{text!r} is not PATH=VALUE")
    try:
        return path, load_json(value)
    except ValueError:
        return path, value  # plain text need not be quoted


def _edited(text: str) -> Json:
    """What the user makes of a text in their editor."""
    from gridloom.common.documents import load_json  # noqa: PLC0415

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.json"
        file.write_text(text, encoding="utf-8")
        if subprocess.run([*shlex.split(editor), file], check=False).returncode:  # noqa: S603
            raise typer.BadParameter(f"the editor {editor!r} failed; set EDITOR to another")
        changed = file.read_bytes()
    try:
        tree: Json = load_json(changed)
    except ValueError as error:
        raise typer.BadParameter(f"what the editor left is not JSON: {error}") from None
    return tree


def _json(file: Path) -> Json:
    from gridloom.common.documents import load_json  # noqa: PLC0415

    try:
        tree: Json = load_json(file.read_bytes())
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from None
    return tree


def _config(file: Path) -> Config:
    """The configuration in a file, whatever its form."""
    from gridloom.common.channel.bundle import ChannelBundle  # noqa: PLC0415
    from gridloom.common.protolator import encode, recognise, recognise_json  # noqa: PLC0415
    from gridloom.protos.common.common_pb2 import Block  # noqa: PLC0415
    from gridloom.protos.common.configtx_pb2 import Config  # noqa: PLC0415

    data = file.read_bytes()
    if data.lstrip().startswith(b"{"):
        tree = _json(file)
        message: Message = encode(recognise_json(tree), tree)
    else:
        message = recognise(data)
    if isinstance(message, Block):
        return ChannelBundle.from_config_block(message).config
    if isinstance(message, Config):
        return message
    raise typer.BadParameter(f"{file} holds no configuration")


def _text(message: Message) -> str:
    from gridloom.common.protolator import decode, render  # noqa: PLC0415

    return render(decode(message))


def _write(content: bytes | str, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(content.encode() if isinstance(content, str) else content)
    else:
        typer.echo(content, nl=False)
