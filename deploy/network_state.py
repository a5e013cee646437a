"""What network.json says of a network: its nodes, credentials, CAs and channels, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .authorities import AuthorityFolder
from .connection_profile import reachable
from .enrollment import OrganizationMaterial
from .home import NetworkHome
from .material import Material
from .topology import AuthorityNode, Topology


def describe(
    home: NetworkHome, topology: Topology, material: Material, *, process_id: int | None, mode: str
) -> dict[str, Any]:
    """Return the content of network.json: endpoints, certificates, users, CAs, channels.

    mode: ``single``, ``processes`` or ``standalone``.  All paths are absolute.
    """
    tree = home.organizations
    peer_orgs = tree / "peerOrganizations"
    return {
        "pid": process_id,
        "mode": mode,
        "tls": topology.tls,
        "ports": list(topology.ports()),
        "channels": home.describe_channels(topology),
        "orderers": [
            {
                "name": node.name,
                "msp_id": org.msp_id,
                "endpoint": node.endpoint,
                "admin_endpoint": node.admin_endpoint,
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
        "certificate_authorities": [
            _describe_authority(tree, material.organization(org.msp_id), org.authority, topology)
            for org in topology.every_organization()
        ],
    }


def _describe_authority(
    tree: Path, org: OrganizationMaterial, node: AuthorityNode, topology: Topology
) -> dict[str, Any]:
    folder = AuthorityFolder.of(tree, org)
    scheme = "https" if topology.tls else "http"
    return {
        "name": node.name,
        "msp_id": org.msp_id,
        "url": f"{scheme}://{reachable(node.host)}:{node.port}",
        "ca_cert": str(folder.ca_certificate),
        "tls_cert": str(folder.tls_certificate),
    }


def _tls_root(folder: Path, domain: str) -> str:
    return str(folder / "tlsca" / f"tlsca.{domain}-cert.pem")
