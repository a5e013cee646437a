"""Connection profiles: what a client of one organization needs to find its network.

The fields are those of fabric-samples' test network, so that programs written for it read
ours.  (fabric-samples: test-network/organizations/ccp-template.json and .yaml)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

_LOOPBACK: Final = frozenset({"127.0.0.1", "0.0.0.0", "::1", "[::1]", "localhost"})  # noqa: S104


@dataclass(frozen=True, slots=True)
class ProfilePeer:
    """A peer as clients reach it; name is also the name in its TLS certificate."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ProfileAuthority:
    """An organization's CA server; ca_name: of the CA there; certificate: PEM of that CA."""

    name: str
    ca_name: str
    host: str
    port: int
    certificate: bytes


@dataclass(frozen=True, slots=True)
class ConnectionProfile:
    """One organization's view. tls_root: PEM of its TLS CA, None when TLS is off."""

    network: str
    organization: str
    msp_id: str
    peers: Sequence[ProfilePeer]
    tls_root: bytes | None
    authority: ProfileAuthority | None = None
    timeout_seconds: int = 300

    def document(self) -> dict[str, Any]:
        """Return the profile as plain data, in the order of the template."""
        authority = self.authority
        organization: dict[str, Any] = {
            "mspid": self.msp_id,
            "peers": [peer.name for peer in self.peers],
        }
        document: dict[str, Any] = {
            "name": f"{self.network}-{self.organization.lower()}",
            "version": "1.0.0",
            "client": {
                "organization": self.organization,
                "connection": {"timeout": {"peer": {"endorser": str(self.timeout_seconds)}}},
            },
            "organizations": {self.organization: organization},
            "peers": {peer.name: self._peer(peer) for peer in self.peers},
        }
        if authority is not None:
            organization["certificateAuthorities"] = [authority.name]
            document["certificateAuthorities"] = {authority.name: self._authority(authority)}
        return document

    def json(self) -> bytes:
        """Encode as JSON, indented as the template is."""
        return (json.dumps(self.document(), indent=4) + "\n").encode()

    def yaml(self) -> bytes:
        """Encode as YAML with certificates as readable blocks."""
        text = yaml.dump(
            self.document(), Dumper=_Dumper, explicit_start=True, sort_keys=False, width=1000
        )
        return str(text).encode()

    def _peer(self, peer: ProfilePeer) -> dict[str, Any]:
        address = f"{reachable(peer.host)}:{peer.port}"
        if self.tls_root is None:
            return {"url": f"grpc://{address}"}
        return {
            "url": f"grpcs://{address}",
            "tlsCACerts": {"pem": self.tls_root.decode()},
            "grpcOptions": {
                "ssl-target-name-override": peer.name,
                "hostnameOverride": peer.name,
            },
        }

    def _authority(self, authority: ProfileAuthority) -> dict[str, Any]:
        scheme = "http" if self.tls_root is None else "https"
        return {
            "url": f"{scheme}://{reachable(authority.host)}:{authority.port}",
            "caName": authority.ca_name,
            "tlsCACerts": {"pem": [authority.certificate.decode()]},
            "httpOptions": {"verify": False},
        }


def reachable(host: str) -> str:
    """The name by which a client on this machine reaches a node listening on ``host``."""
    return "localhost" if host in _LOOPBACK else host


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as literal blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
