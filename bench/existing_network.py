"""Targets that run already: a Fabric network by connection profile, or a folder of ours.

(Fabric: Caliper's network configuration, which holds connection profiles, too)
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from gridloom.client.connection_profile import ConnectionProfile, ProfileError, ProfileNode
from gridloom.deploy.home import NetworkHome

from .errors import NetworkUnusable
from .processes import listening_processes
from .target import Address, Target, User


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """What a profile does not say.

    channel: "" for mychannel, or the first of a folder; msp: the asking user's MSP folder,
    ``users/User1@...`` beside the profile if None; orderer: ``host:port``, for workloads
    that order themselves; orderer_ca: PEM file of its TLS CA; orderer_name: in its certificate.
    """

    channel: str = ""
    msp: Path | None = None
    orderer: str = ""
    orderer_ca: Path | None = None
    orderer_name: str = ""


def existing_target(path: Path, options: NetworkOptions) -> Target:
    """Return the target of a profile (a file) or of a network's folder.

    ProfileError, HomeError, NetworkUnusable, OSError.
    """
    return _folder(path, options) if path.is_dir() else _profile(path, options)


def _folder(path: Path, options: NetworkOptions) -> Target:
    home = NetworkHome(path)
    state = home.state()
    if home.process_id() is None:
        raise NetworkUnusable(str(path), "the network is not running; start it with: gridloom up")
    target = target_of_state(state)
    channels = [channel["name"] for channel in state["channels"]]
    channel = options.channel or target.channel
    if channel not in channels:
        raise NetworkUnusable(str(path), f"no channel {channel!r}; there is: {', '.join(channels)}")
    return Target(channel, target.peers, target.users, target.orderer, target.process_ids)


def target_of_state(state: Mapping[str, Any]) -> Target:
    """Return the target that a running network's network.json describes."""
    peers: dict[str, list[Address]] = {}
    users: list[User] = []
    for org in state["organizations"]:
        peers[org["msp_id"]] = [_node(peer, state["tls"]) for peer in org["peers"]]
        ranked = sorted(org["users"], key=lambda user: user["role"] == "admin")
        users += [
            User(org["msp_id"], user["name"].partition("@")[0], user["msp"]) for user in ranked
        ]
    orderer = _node(state["orderers"][0], state["tls"])
    ids = dict(state["processes"]) if state["processes"] else {"network": state["pid"]}
    return Target(state["channels"][0]["name"], peers, users, orderer, ids)


def _node(node: dict[str, str], tls: bool) -> Address:
    roots = Path(node["tls_root"]).read_text() if tls else ""
    return Address(node["name"], node["endpoint"], roots, node["name"] if tls else "")


def _profile(path: Path, options: NetworkOptions) -> Target:
    profile = ConnectionProfile.load(path)
    own = profile.organizations.get(profile.organization)
    if own is None:
        raise ProfileError("client.organization", "it is none of the organizations")
    peers = {own.msp_id: [_address(peer) for peer in profile.own_peers()]}
    msp = options.msp or _user_beside(path)
    name = msp.parent.name.partition("@")[0]
    orderer = next(iter(profile.orderers.values()), None)
    address = None if orderer is None else _address(orderer)
    if options.orderer:
        roots = options.orderer_ca.read_text() if options.orderer_ca else ""
        address = Address("orderer", options.orderer, roots, options.orderer_name)
    known = [_address(node) for node in profile.peers.values()] + ([address] if address else [])
    return Target(
        channel=options.channel or "mychannel",
        peers=peers,
        users=[User(own.msp_id, name, str(msp))],
        orderer=address,
        process_ids=_local(known),
    )


def _address(node: ProfileNode) -> Address:
    if node.tls is None:
        return Address(node.name, node.target)
    return Address(node.name, node.target, node.tls.roots.decode(), node.tls.server_name or "")


def _user_beside(path: Path) -> Path:
    found = sorted(path.absolute().parent.glob("users/*/msp"))
    ordinary = [msp for msp in found if not msp.parent.name.startswith("Admin@")]
    if not found:
        raise NetworkUnusable(
            str(path), "there is no users/ folder beside the profile; give --msp FOLDER"
        )
    return (ordinary or found)[0]


def _local(nodes: list[Address]) -> dict[str, int]:
    """Return the processes behind nodes that listen on this machine."""
    own = {"localhost", socket.gethostname()}
    own |= {each.address for given in psutil.net_if_addrs().values() for each in given}
    here = {node.name: node.target for node in nodes if node.target.rpartition(":")[0] in own}
    return listening_processes(here)
