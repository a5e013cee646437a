"""The folder of a network: where everything that must survive a restart is kept.

::

    network.json          what is running where, for programs (see ``network_state.py``)
    network.lock          held by the process that runs it
    description.yaml      the network description it was made from
    channels.json         channels made, or with other members, since then
    origins.json          which source each package deployed from here was made of
    organizations/        crypto material, laid out as fabric-samples' test-network does
    channel-artifacts/    one genesis block for each channel
    orderers/NAME/        blocks
    peers/NAME/           ledgers and installed chaincode packages
    logs/NAME.log         in ``--processes`` and ``--detach`` mode
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block

from .network_lock import NetworkLock, holder_of
from .packaging import source_root
from .topology import ChannelSpec, Topology

STATE_FILE = "network.json"
DESCRIPTION_FILE = "description.yaml"
CHANNELS_FILE = "channels.json"
ORIGINS_FILE = "origins.json"

_FOLDERS = ("organizations", "channel-artifacts", "orderers", "peers", "logs")
_FILES = (ORIGINS_FILE, CHANNELS_FILE, DESCRIPTION_FILE, STATE_FILE)


STANDALONE = "standalone"
"""The mode of a network whose nodes run elsewhere, each by itself."""


class HomeError(GridloomError):
    """A network's folder that cannot be used as asked: path, and what to do about it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NetworkHome:
    """One network's folder; nothing is written before a method says so."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def organizations(self) -> Path:
        """The crypto material."""
        return self.path / "organizations"

    def genesis_file(self, channel: str) -> Path:
        """Where a channel's genesis block is."""
        return self.path / "channel-artifacts" / f"{channel}.block"

    def node(self, kind: str, name: str) -> Path:
        """The data of a node; kind: orderers or peers."""
        return self.path / kind / name

    def log_file(self, name: str) -> Path:
        """What a process of this network printed."""
        return self.path / "logs" / f"{name}.log"

    def exists(self) -> bool:
        """Whether a network has been made here."""
        return (self.path / STATE_FILE).is_file()

    def state(self) -> dict[str, Any]:
        """Return what network.json says; HomeError if there is none or it is damaged."""
        file = self.path / STATE_FILE
        try:
            state = json.loads(file.read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise HomeError(
                self.path, "there is no network here; make one with: gridloom up"
            ) from None
        except ValueError as error:
            raise HomeError(file, f"damaged: {error}") from error
        if not isinstance(state, dict) or not isinstance(state.get("ports"), list):
            raise HomeError(file, "damaged: it does not describe a network")
        return state

    def save_state(self, state: dict[str, Any]) -> None:
        """Replace network.json."""
        self._replace(self.path / STATE_FILE, (json.dumps(state, indent=2) + "\n").encode())

    def topology(self) -> Topology:
        """Return the network's topology with the ports it was made with; HomeError."""
        ports = self.state()["ports"]
        described = Topology.parse(self.description())
        nodes, every = described.nodes(), described.ports()
        # made when orderers had no admin ports, or organizations no CA servers
        if len(ports) in {len(nodes), len(every) - len(described.authorities())}:
            ports = [*ports, *every[len(ports) :]]
        if len(ports) != len(every):
            raise HomeError(self.path / STATE_FILE, f"{len(ports)} ports for {len(nodes)} nodes")
        chosen = iter(ports)
        topology = described.with_ports(lambda _: next(chosen))
        return topology.with_channels(self._changed_channels().values())

    def describe_channels(self, topology: Topology) -> list[dict[str, Any]]:
        """Return what network.json says of the channels."""
        return [
            {
                "name": channel.name,
                "members": [org.msp_id for org in topology.members(channel)],
                "genesis_block": str(self.genesis_file(channel.name)),
            }
            for channel in topology.channels
        ]

    def change_channel(self, channel: ChannelSpec) -> None:
        """Keep that a channel was made, or has other members, since the description.

        network.json tells it, too.
        """
        changed = self._changed_channels() | {channel.name: channel}
        content = {
            each.name: {"members": each.members, "orderers": each.orderers}
            for each in changed.values()
        }
        self._replace(self.path / CHANNELS_FILE, (json.dumps(content, indent=2) + "\n").encode())
        state = self.state() | {"channels": self.describe_channels(self.topology())}
        self.save_state(state)

    def _changed_channels(self) -> dict[str, ChannelSpec]:
        file = self.path / CHANNELS_FILE
        if not file.exists():
            return {}
        try:
            content = json.loads(file.read_text())
            return {
                name: ChannelSpec(name, tuple(each["members"]), tuple(each["orderers"]))
                for name, each in content.items()
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HomeError(file, f"damaged: {error}") from error

    def save_description(self, text: str) -> None:
        """Keep the description the network is made from."""
        self._replace(self.path / DESCRIPTION_FILE, text.encode())

    def description(self) -> str:
        """Return the description the network was made from; HomeError when it is missing."""
        try:
            return (self.path / DESCRIPTION_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise HomeError(self.path / DESCRIPTION_FILE, "missing") from None

    def save_genesis(self, channel: str, block: Block) -> None:
        """Keep a channel's genesis block."""
        self._replace(self.genesis_file(channel), block.SerializeToString())

    def genesis(self, channel: str) -> Block:
        """Return a channel's genesis block."""
        file = self.genesis_file(channel)
        return parse(Block, file.read_bytes(), str(file))

    def remember_origin(self, package_id: str, source: Path) -> None:
        """Keep which source a package was made of, for debuggers and tracebacks."""
        origins = self._origins() | {package_id: str(source_root(source))}
        data = json.dumps(origins, indent=2) + "\n"
        self._replace(self.path / ORIGINS_FILE, data.encode())

    def origin(self, package_id: str) -> Path | None:
        """Return the folder a package was made of, None if it was not made here."""
        known = self._origins().get(package_id)
        return None if known is None else Path(known)

    def _origins(self) -> dict[str, str]:
        file = self.path / ORIGINS_FILE
        if not file.exists():
            return {}
        origins: dict[str, str] = json.loads(file.read_text())
        return origins

    def process_id(self) -> int | None:
        """Return the id of the process that runs the network; None if it is not running."""
        return holder_of(self.path)

    def serving_process(self) -> int:
        """Return the id of the process whose nodes serve: it can be sent signals now.

        HomeError when there is none, or not yet: a signal would end a process that starts.
        """
        process_id = self.process_id()
        serving = self.state().get("pid")
        if process_id is None:
            raise HomeError(self.path, "the network is not running; start it with: gridloom up")
        if serving != process_id:
            raise HomeError(self.path, f"it is starting or stopping in process {process_id}")
        return process_id

    def remove(self) -> None:
        """Delete the network with all its data; NetworkRuns while it runs.

        Other files in the folder stay, and so does the folder then.
        """
        with NetworkLock(self.path):
            for name in _FOLDERS:
                shutil.rmtree(self.path / name, ignore_errors=True)
            for name in _FILES:
                (self.path / name).unlink(missing_ok=True)

    @staticmethod
    def _replace(file: Path, data: bytes) -> None:
        """Write a file, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.new")
        temporary.write_bytes(data)
        os.replace(temporary, file)
