"""MSP folders on disk, as Fabric's tools write and read them.

    cacerts/ intermediatecerts/ admincerts/ signcerts/ keystore/ crls/
    tlscacerts/ tlsintermediatecerts/ config.yaml

(Fabric: msp/configbuilder.go; the keystore: bccsp/sw/fileks.go)
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gridloom.protos.msp import msp_config_pb2

from . import crypto, pem
from .certificates import Certificate
from .errors import GridloomError
from .identities import SigningIdentity
from .msp import Msp, MspVersion

_log = logging.getLogger(__name__)

_MAX_KEY_FILE: Final = 1 << 16
#: libyaml's loader is ten times faster than the pure one, which every build has.
_YAML_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ROLES: Final = ("client", "peer", "admin", "orderer")


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
    roots = _pem_files(root / "cacerts")
    if not roots:
        raise MspDirectoryError(root / "cacerts", "no ca certificate found in directory")
    tls_roots = _pem_files(root / "tlscacerts")
    config = msp_config_pb2.FabricMSPConfig(
        name=msp_id,
        root_certs=roots,
        intermediate_certs=_pem_files(root / "intermediatecerts"),
        admins=_pem_files(root / "admincerts"),
        revocation_list=_pem_files(root / "crls"),
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        tls_root_certs=tls_roots,
        tls_intermediate_certs=_pem_files(root / "tlsintermediatecerts") if tls_roots else [],
    )
    _read_config_file(root, config)
    return msp_config_pb2.MSPConfig(type=0, config=config.SerializeToString(deterministic=True))


def load_signing_identity(
    directory: Path | str,
    msp_id: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SigningIdentity:
    """Return the folder's own identity: its signing certificate and the key that fits.

    As when a Fabric node starts: the MSP must set up, the certificate must chain to it and
    must not have expired.  Raises MspDirectoryError or an IdentityError.
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


def find_key(keystore: Path, certificate: Certificate) -> crypto.PrivateKey:
    """Find a certificate's private key: ``<hex SKI>_sk`` first, then any file up to 64 KiB."""
    wanted = crypto.subject_key_id(certificate.key.key)
    named = keystore / f"{wanted.hex()}_sk"
    others = sorted(keystore.iterdir()) if keystore.is_dir() else []
    for path in (named, *others):
        if path.is_file() and path.stat().st_size <= _MAX_KEY_FILE:
            key = read_key(path.read_bytes())
            if key is not None and crypto.subject_key_id(key.public_key()) == wanted:
                return key
    raise MspDirectoryError(keystore, f"no private key with SKI {wanted.hex()}")


def read_key(data: bytes) -> crypto.PrivateKey | None:
    """Parse an unencrypted PEM key (PKCS#8 or SEC 1); None when it is none of ours."""
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    return None


def key_pem(key: crypto.PrivateKey) -> bytes:
    """Encode a private key as Fabric's tools store it: PKCS#8, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class MspFiles:
    """Content of an MSP folder: file name to PEM in each of its subfolders.

    node_ou_certificate: the CA file below the MSP folder that config.yaml names for all
    four node OUs; None writes no config.yaml.
    """

    cacerts: Mapping[str, bytes]
    tlscacerts: Mapping[str, bytes] = field(default_factory=dict)
    admincerts: Mapping[str, bytes] = field(default_factory=dict)
    intermediatecerts: Mapping[str, bytes] = field(default_factory=dict)
    tlsintermediatecerts: Mapping[str, bytes] = field(default_factory=dict)
    crls: Mapping[str, bytes] = field(default_factory=dict)
    signcerts: Mapping[str, bytes] = field(default_factory=dict)
    keystore: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    node_ou_certificate: str | None = None


def write_msp(directory: Path | str, files: MspFiles) -> None:
    """Write an MSP folder; key files are readable by their owner only."""
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    for name in (
        "cacerts",
        "tlscacerts",
        "admincerts",
        "intermediatecerts",
        "tlsintermediatecerts",
        "crls",
        "signcerts",
    ):
        for file_name, data in getattr(files, name).items():
            write_file(root / name / file_name, data)
    for file_name, data in files.keystore.items():
        write_file(root / "keystore" / file_name, data, secret=True)
    if files.node_ou_certificate is not None:
        write_file(root / "config.yaml", node_ou_config(files.node_ou_certificate))


def node_ou_config(certificate: str) -> bytes:
    """Return a config.yaml that enforces the four node OUs under one CA certificate."""
    lines = ["NodeOUs:", "  Enable: true"]
    for role in _ROLES:
        lines += [
            f"  {role.capitalize()}OUIdentifier:",
            f"    Certificate: {certificate}",
            f"    OrganizationalUnitIdentifier: {role}",
        ]
    return ("\n".join(lines) + "\n").encode()


def write_file(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Write a file, making its folder; a secret one is never readable by others (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if secret else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        if secret:
            os.fchmod(descriptor, mode)  # an existing file keeps its old mode otherwise
        file.write(data)


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
        document = yaml.load(path.read_bytes(), Loader=_YAML_LOADER) or {}  # noqa: S506 - a safe loader
        identifiers = document.get("OrganizationalUnitIdentifiers") or []
        node_ous = document.get("NodeOUs") or {}
        for entry in identifiers:
            _add_identifier(root, config.organizational_unit_identifiers.add(), entry)
        if node_ous.get("Enable"):
            config.fabric_node_ous.enable = True
            for role in _ROLES:
                entry = node_ous.get(f"{role.capitalize()}OUIdentifier") or {}
                if entry.get("OrganizationalUnitIdentifier"):
                    target = getattr(config.fabric_node_ous, f"{role}_ou_identifier")
                    _add_node_ou(root, target, entry)
    except (yaml.YAMLError, AttributeError, TypeError, UnicodeError) as error:
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
