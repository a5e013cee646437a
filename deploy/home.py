"""The folder of a network: where everything that must survive a restart is kept.

::

    network.json          what is running where, for programs (see ``describe``)
    description.yaml      the network description it was made from
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

from .material import Material
from .packaging import source_root
from .topology import Topology

STATE_FILE = "network.json"
ORIGINS_FILE = "origins.json"


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
        try:
            state: dict[str, Any] = json.loads((self.path / STATE_FILE).read_text())
        except FileNotFoundError:
            raise HomeError(
                self.path, "there is no network here; make one with: gridloom up"
            ) from None
        except ValueError as error:
            raise HomeError(self.path / STATE_FILE, f"damaged: {error}") from error
        return state

    def save_state(self, state: dict[str, Any]) -> None:
        """Replace network.json, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        temporary = self.path / f"{STATE_FILE}.new"
        temporary.write_text(json.dumps(state, indent=2) + "\n")
        os.replace(temporary, self.path / STATE_FILE)

    def topology(self) -> Topology:
        """Return the network's topology with the ports it was made with; HomeError."""
        state = self.state()
        text = (self.path / "description.yaml").read_text()
        ports = iter(state["ports"])
        return Topology.parse(text).with_ports(lambda _: next(ports))

    def save_description(self, text: str) -> None:
        """Keep the description the network is made from."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "description.yaml").write_text(text)

    def description(self) -> str:
        """Return the description the network was made from."""
        return (self.path / "description.yaml").read_text()

    def save_genesis(self, channel: str, block: Block) -> None:
        """Keep a channel's genesis block."""
        file = self.genesis_file(channel)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(block.SerializeToString())

    def genesis(self, channel: str) -> Block:
        """Return a channel's genesis block."""
        file = self.genesis_file(channel)
        return parse(Block, file.read_bytes(), str(file))

    def remember_origin(self, package_id: str, source: Path) -> None:
        """Keep which source a package was made of, for debuggers and tracebacks."""
        origins = self._origins() | {package_id: str(source_root(source))}
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / ORIGINS_FILE).write_text(json.dumps(origins, indent=2) + "\n")

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
        process_id = self.state().get("pid") if self.exists() else None
        return process_id if process_id and is_alive(process_id) else None

    def remove(self) -> None:
        """Delete the network with all its data; HomeError while it runs."""
        if self.process_id() is not None:
            raise HomeError(self.path, "the network is running; stop it first: gridloom down")
        shutil.rmtree(self.path)


def is_alive(process_id: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{process_id}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())


def describe(
    home: NetworkHome, topology: Topology, material: Material, *, process_id: int | None, mode: str
) -> dict[str, Any]:
    """Return the content of network.json: endpoints, certificates, users, channels.

    mode: ``single`` or ``processes``.  All paths are absolute.
    """
    tree = home.organizations
    peer_orgs = tree / "peerOrganizations"
    return {
        "pid": process_id,
        "mode": mode,
        "tls": topology.tls,
        "ports": [
            *(node.port for node in topology.orderers()),
            *(node.port for node in topology.peers()),
        ],
        "channels": [
            {
                "name": channel.name,
                "members": [org.msp_id for org in topology.members(channel)],
                "genesis_block": str(home.genesis_file(channel.name)),
            }
            for channel in topology.channels
        ],
        "orderers": [
            {
                "name": node.name,
                "msp_id": org.msp_id,
                "endpoint": node.endpoint,
                "tls_root": _tls_root(tree / "ordererOrganizations" / org.domain, org.domain),
            }
            for org in topology.orderer_organizations
            for node in org.orderers
        ],
        "organizations": [
            {
                "name": org.name,
                "msp_id": org.msp_id,
                "connection_profile": str(
                    peer_orgs / org.domain / f"connection-{org.name.lower()}.json"
                ),
                "peers": [
                    {
                        "name": peer.name,
                        "endpoint": peer.endpoint,
                        "tls_root": _tls_root(peer_orgs / org.domain, org.domain),
                    }
                    for peer in org.peers
                ],
                "users": [
                    {
                        "name": enrollment.name,
                        "role": enrollment.role,
                        "msp": str(peer_orgs / org.domain / "users" / enrollment.name / "msp"),
                    }
                    for enrollment in material.organization(org.msp_id).users.values()
                ],
            }
            for org in topology.organizations
        ],
    }


def _tls_root(folder: Path, domain: str) -> str:
    return str(folder / "tlsca" / f"tlsca.{domain}-cert.pem")
