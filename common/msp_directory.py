"""MSP folders on disk, as Fabric's tools write and read them.

    cacerts/ intermediatecerts/ admincerts/ signcerts/ keystore/ crls/
    tlscacerts/ tlsintermediatecerts/ config.yaml

(Fabric: msp/configbuilder.go)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from gridloom.protos.msp import msp_config_pb2

from . import pem
from .documents import load_yaml
from .errors import GridloomError
from .identities import SigningIdentity
from .keystore import find_key
from .msp import Msp, MspVersion
from .msp_files import PUBLIC_FOLDERS, ROLES, MspFiles, fabric_config, wrap, write_msp

__all__ = ["MspDirectoryError", "MspFiles", "load_msp", "load_signing_identity", "write_msp"]

_log = logging.getLogger(__name__)

#: libyaml's loader is ten times faster than the pure one, which every build has.
_YAML_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class MspDirectoryError(GridloomError):
    """path: the file or folder at fault; reason: what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def load_msp(directory: Path | str, msp_id: str) -> msp_config_pb2.MSPConfig:
    """Read a folder into a verifying MSPConfig (no signing identity), byte for byte PEM.

    Files that are not PEM are passed over with a warning, as Fabric does; a missing
    ``cacerts`` and a malformed config.yaml are MspDirectoryError.
    """
    root = Path(directory)
    folders = {name: _pem_files(root / name) for name in PUBLIC_FOLDERS}
    if not folders["cacerts"]:
        raise MspDirectoryError(root / "cacerts", "no ca certificate found in directory")
    config = fabric_config(msp_id, folders)
    _read_config_file(root, config)
    return wrap(config)


def load_signing_identity(
    directory: Path | str,
    msp_id: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SigningIdentity:
    """Return the folder's own identity: its signing certificate and the key that fits.

    As when a Fabric node starts: the MSP must set up, the certificate must chain to it and
    must not have expired.  Raises MspDirectoryError, KeyNotFound or an
    IdentityError.
    """
    root = Path(directory)
    certificates = _pem_files(root / "signcerts")
    if not certificates:
        raise MspDirectoryError(root / "signcerts", "no signing certificate found in directory")
    msp = Msp.from_config(load_msp(root, msp_id), MspVersion.V3_0)
    identity = msp.identity(certificates[0])
    if identity.expires_at <= now():
        raise MspDirectoryError(
            root / "signcerts", f"signing identity expired at {identity.expires_at:%FT%TZ}"
        )
    key = find_key(root / "keystore", identity.details)
    return SigningIdentity(msp_id, identity.details.pem(), key)


def _pem_files(directory: Path) -> Sequence[bytes]:
    """Read the PEM files of a folder by name; an absent folder is empty."""
    found = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else ():
        if not path.is_file():
            continue
        data = path.read_bytes()
        if pem.decode(data) is None:
            _log.warning("%s: no pem content, passed over", path)
            continue
        found.append(data)
    return found


def _read_config_file(root: Path, config: msp_config_pb2.FabricMSPConfig) -> None:
    """Add what config.yaml says about organizational units."""
    path = root / "config.yaml"
    if not path.is_file():
        return
    try:
        document = load_yaml(path.read_bytes(), _YAML_LOADER) or {}
        identifiers = document.get("OrganizationalUnitIdentifiers") or []
        node_ous = document.get("NodeOUs") or {}
        for entry in identifiers:
            _add_identifier(root, config.organizational_unit_identifiers.add(), entry)
        if node_ous.get("Enable"):
            config.fabric_node_ous.enable = True
            for role in ROLES:
                entry = node_ous.get(f"{role.capitalize()}OUIdentifier") or {}
                if entry.get("OrganizationalUnitIdentifier"):
                    target = getattr(config.fabric_node_ous, f"{role}_ou_identifier")
                    _add_node_ou(root, target, entry)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise MspDirectoryError(
            path, f"failed unmarshalling configuration file: {error}"
        ) from error


def _add_identifier(
    root: Path, target: msp_config_pb2.FabricOUIdentifier, entry: Mapping[str, Any]
) -> None:
    path = root / str(entry.get("Certificate") or "")
    try:
        target.certificate = path.read_bytes()
    except OSError as error:
        raise MspDirectoryError(
            path, f"failed loading OrganizationalUnit certificate: {error.strerror}"
        ) from error
    target.organizational_unit_identifier = str(entry.get("OrganizationalUnitIdentifier") or "")


def _add_node_ou(
    root: Path, target: msp_config_pb2.FabricOUIdentifier, entry: Mapping[str, Any]
) -> None:
    target.organizational_unit_identifier = str(entry["OrganizationalUnitIdentifier"])
    name = entry.get("Certificate")
    if not name:
        return
    try:
        target.certificate = (root / str(name)).read_bytes()
    except OSError as error:
        _log.warning("%s: failed loading certificate: %s", root / str(name), error.strerror)
