"""Connection profiles: where an organisation's peers are, and how to trust them.

    profile = ConnectionProfile.load(Path("connection-org1.json"))
    gateway = profile.connect(Wallet(Path("wallet")).get("appUser").signer())

JSON and YAML in the form of fabric-samples' test network (PROTOCOL 27); what a gateway client
does not need of it is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gridloom.common.documents import load_json, load_yaml
from gridloom.common.errors import GridloomError
from gridloom.common.rpc.tls import ClientTls

from .gateway import Gateway
from .identity import Identity, Signer
from .session import Timeouts

NAME_OPTIONS = ("ssl-target-name-override", "grpc.ssl_target_name_override", "hostnameOverride")

_URL = re.compile(r"(grpcs?)://([^/@?#]+:\d{1,5})/?")


class ProfileError(GridloomError):
    """A connection profile that cannot be used: the path of the value at fault, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"connection profile: {path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ProfileNode:
    """A peer or orderer: name, target (``host:port``), and TLS unless it is without."""

    name: str
    target: str
    tls: ClientTls | None

    def connect(self, signer: Signer | Identity, *, timeouts: Timeouts | None = None) -> Gateway:
        """Return a gateway through this peer."""
        return Gateway.connect(self.target, signer, self.tls, timeouts=timeouts)


@dataclass(frozen=True, slots=True)
class ProfileOrganization:
    """One organisation: its key in the profile, its MSP id, its peers' names."""

    name: str
    msp_id: str
    peers: Sequence[str]


@dataclass(frozen=True, slots=True)
class ConnectionProfile:
    """A profile; organization: the client's own.  Mappings are by name."""

    name: str
    organization: str
    organizations: Mapping[str, ProfileOrganization]
    peers: Mapping[str, ProfileNode]
    orderers: Mapping[str, ProfileNode]

    @classmethod
    def load(cls, path: Path) -> ConnectionProfile:
        """Read a JSON or YAML file; relative paths in it count from its folder.

        OSError, ProfileError.
        """
        return cls.parse(path.read_text(encoding="utf-8"), path.parent)

    @classmethod
    def parse(cls, text: str, folder: Path = Path()) -> ConnectionProfile:
        """Read a document; ProfileError names the value at fault."""
        is_json = text.lstrip().startswith("{")  # YAML would stumble over its tabs
        try:
            document = load_json(text) if is_json else load_yaml(text)
        except (ValueError, yaml.YAMLError) as error:
            raise ProfileError("document", f"neither JSON nor YAML: {error}") from error
        return _Reader(folder).profile(document)

    def own_peers(self) -> Sequence[ProfileNode]:
        """Return the peers of the client's organisation; ProfileError if there are none."""
        organization = self.organizations.get(self.organization)
        names = organization.peers if organization else tuple(self.peers)
        found = [self.peers[name] for name in names if name in self.peers]
        if not found:
            raise ProfileError(f"organizations.{self.organization}.peers", "no known peer")
        return found

    def connect(
        self, signer: Signer | Identity, *, peer: str = "", timeouts: Timeouts | None = None
    ) -> Gateway:
        """Return a gateway through a peer by its name, the own organisation's first if none."""
        if not peer:
            return self.own_peers()[0].connect(signer, timeouts=timeouts)
        if peer not in self.peers:
            raise ProfileError("peers", f"no {peer}; there is: {', '.join(self.peers)}")
        return self.peers[peer].connect(signer, timeouts=timeouts)


class _Reader:
    """Reads a document, keeping track of where it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def profile(self, document: Any) -> ConnectionProfile:  # noqa: ANN401
        top = _mapping(document, "document")
        organizations = {
            name: self._organization(name, value)
            for name, value in _mapping(top.get("organizations", {}), "organizations").items()
        }
        client = _mapping(top.get("client", {}), "client")
        return ConnectionProfile(
            name=str(top.get("name", "")),
            organization=str(client.get("organization", next(iter(organizations), ""))),
            organizations=organizations,
            peers=self._nodes(top, "peers"),
            orderers=self._nodes(top, "orderers"),
        )

    def _organization(self, name: str, value: object) -> ProfileOrganization:
        path = f"organizations.{name}"
        fields = _mapping(value, path)
        peers = fields.get("peers", [])
        if not isinstance(peers, list):
            raise ProfileError(f"{path}.peers", "not a list")
        msp_id = fields.get("mspid", fields.get("mspId"))
        if not isinstance(msp_id, str):
            raise ProfileError(f"{path}.mspid", "missing")
        return ProfileOrganization(name, msp_id, tuple(str(peer) for peer in peers))

    def _nodes(self, top: Mapping[str, Any], kind: str) -> Mapping[str, ProfileNode]:
        nodes = _mapping(top.get(kind, {}), kind)
        return {name: self._node(name, value, f"{kind}.{name}") for name, value in nodes.items()}

    def _node(self, name: str, value: object, path: str) -> ProfileNode:
        fields = _mapping(value, path)
        match = _URL.fullmatch(str(fields.get("url", "")))
        if match is None:
            reason = f"{fields.get('url')!r} is not like grpcs://host:port"
            raise ProfileError(f"{path}.url", reason)
        scheme, target = match.groups()
        if scheme == "grpc":
            return ProfileNode(name, target, None)
        options = _mapping(fields.get("grpcOptions") or {}, f"{path}.grpcOptions")
        names = (options[option] for option in NAME_OPTIONS if option in options)
        roots = self._roots(fields.get("tlsCACerts"), f"{path}.tlsCACerts")
        server_name = next(names, None)
        tls = ClientTls(roots, server_name=None if server_name is None else str(server_name))
        return ProfileNode(name, target, tls)

    def _roots(self, value: object, path: str) -> bytes:
        """Return the PEM that is there as such, as a list, or in the file of this path."""
        if value is None:
            raise ProfileError(path, "missing, and the url demands TLS")
        fields = _mapping(value, path)
        pem = fields.get("pem")
        if pem is not None:
            lines = pem if isinstance(pem, list) else [pem]
            if not all(isinstance(line, str) and line.isascii() for line in lines):
                raise ProfileError(f"{path}.pem", "neither PEM nor a list of PEM")
            return "\n".join(lines).encode()
        if "path" not in fields:
            raise ProfileError(path, "neither pem nor path")
        file = self._folder / str(fields["path"])
        try:
            return file.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: no name of a file
            raise ProfileError(f"{path}.path", f"{file}: {error}") from error


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ProfileError(path, "not a mapping")
    return {str(key): inner for key, inner in value.items()}
