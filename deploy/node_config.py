"""A folder for each node of a network, to be carried to the machine it shall run on.

Each holds the node's configuration file, its MSP, its TLS files and its channels' first blocks;
``gridloom orderer start`` and ``gridloom peer start`` run from it.  All paths in it are relative.
(Fabric: what its documentation has administrators put together by hand.)
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

import yaml

from .home import STANDALONE, NetworkHome
from .network_state import describe
from .nodes import NodeBuilder
from .topology import OrdererNode, OrdererOrganization, Organization, PeerNode, Topology

OPERATIONS_OFFSET = 6
"""From a node's port to that of its operations service, which listens on the loopback only."""


def write_node_folders(description: str, folder: Path) -> list[Path]:
    """Issue a described network's credentials and write everything; return the nodes' folders.

    ``folder`` itself is for the administrators: their commands reach the nodes with what is in
    it, wherever these run, and it keeps the CAs' keys.  DocumentError.
    """
    topology = Topology.parse(description)
    home = NetworkHome(folder)
    builder = NodeBuilder.create(topology, home)
    home.save_description(description)
    home.save_state(describe(home, topology, builder.material, process_id=None, mode=STANDALONE))
    blocks = {channel.name: builder.genesis_block(channel) for channel in topology.channels}
    made = []
    for orderer_org in topology.orderer_organizations:
        for node in orderer_org.orderers:
            target = _folder(home, folder, "ordererOrganizations", orderer_org, node)
            _write(target / "orderer.yaml", _orderer(topology, orderer_org, node))
            made.append(target)
    for org in topology.organizations:
        for member in org.peers:
            target = _folder(home, folder, "peerOrganizations", org, member)
            _write(target / "core.yaml", _peer(topology, org, member))
            made.append(target)
    for target in made:
        for name, block in blocks.items():
            if _takes_part(topology, name, target.name):
                (target / f"{name}.block").write_bytes(block.SerializeToString())
    return made


def _takes_part(topology: Topology, channel: str, node: str) -> bool:
    spec = topology.channel(channel)
    members = {peer.name for org in topology.members(spec) for peer in org.peers}
    return node in spec.orderers or node in members


def _folder(
    home: NetworkHome,
    folder: Path,
    kind: str,
    org: Organization | OrdererOrganization,
    node: OrdererNode | PeerNode,
) -> Path:
    """Copy a node's credentials into its own folder and return that."""
    nodes = "orderers" if isinstance(node, OrdererNode) else "peers"
    source = home.organizations / kind / org.domain / nodes / node.name
    target = folder / "nodes" / node.name
    shutil.copytree(source / "msp", target / "msp", dirs_exist_ok=True)
    shutil.copytree(source / "tls", target / "tls", dirs_exist_ok=True)
    return target


def _listen(host: str) -> str:
    """The address to listen at: that of the host, or every one if the host is a name."""
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - a name says nothing of this machine's addresses


def _orderer(
    topology: Topology, org: OrdererOrganization, node: OrdererNode
) -> Mapping[str, object]:
    tls = {
        "Enabled": topology.tls,
        "Certificate": "tls/server.crt",
        "PrivateKey": "tls/server.key",
        "RootCAs": ["tls/ca.crt"],
    }
    listen = _listen(node.host)
    return {
        "General": {
            "ListenAddress": listen,
            "ListenPort": node.port,
            "TLS": tls,
            "LocalMSPDir": "msp",
            "LocalMSPID": org.msp_id,
            "Cutting": topology.cutting.value,
            "Cluster": {"ListenAddress": listen, "ListenPort": node.cluster_port or node.port + 5},
        },
        "FileLedger": {"Location": "data"},
        "Admin": {
            "ListenAddress": f"{listen}:{node.admin_port}",
            "TLS": {**tls, "ClientAuthRequired": True, "ClientRootCAs": ["tls/ca.crt"]},
        },
        "ChannelParticipation": {"Enabled": True},
        "Operations": {"ListenAddress": f"127.0.0.1:{node.port + OPERATIONS_OFFSET}"},
    }


def _peer(topology: Topology, org: Organization, node: PeerNode) -> Mapping[str, object]:
    others = [each.endpoint for each in org.peers if each is not node]
    return {
        "peer": {
            "id": node.name,
            "address": node.endpoint,
            "listenAddress": f"{_listen(node.host)}:{node.port}",
            "localMspId": org.msp_id,
            "mspConfigPath": "msp",
            "fileSystemPath": "data",
            "tls": {
                "enabled": topology.tls,
                "cert": {"file": "tls/server.crt"},
                "key": {"file": "tls/server.key"},
                "rootcert": {"file": "tls/ca.crt"},
            },
            "gossip": {"bootstrap": others},
        },
        "ledger": {"state": {"stateDatabase": topology.state_database.value}},
        "operations": {"listenAddress": f"127.0.0.1:{node.port + OPERATIONS_OFFSET}"},
    }


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False))
