"""The content of an MSP folder: written to disk, or turned into an MSPConfig without one.

(Fabric: internal/cryptogen/msp, which writes such folders)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gridloom.protos.msp import msp_config_pb2

#: Subfolders of public certificates and lists, in Fabric's spelling.
PUBLIC_FOLDERS: Final = (
    "cacerts",
    "tlscacerts",
    "admincerts",
    "intermediatecerts",
    "tlsintermediatecerts",
    "crls",
    "signcerts",
)
ROLES: Final = ("client", "peer", "admin", "orderer")


@dataclass(frozen=True, slots=True)
class MspFiles:
    """File name to PEM in each subfolder of an MSP folder.

    node_ou_certificate: the file below the MSP folder (``cacerts/…``) that config.yaml
    names for all four node OUs; None writes no config.yaml.
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

    def config(self, msp_id: str) -> msp_config_pb2.MSPConfig:
        """Return what ``load_msp`` would read from the folder these files make."""
        config = fabric_config(
            msp_id, {name: _in_order(getattr(self, name)) for name in PUBLIC_FOLDERS}
        )
        if self.node_ou_certificate is not None:
            folder, _, name = self.node_ou_certificate.partition("/")
            config.fabric_node_ous.enable = True
            for role in ROLES:
                unit = getattr(config.fabric_node_ous, f"{role}_ou_identifier")
                unit.organizational_unit_identifier = role
                unit.certificate = getattr(self, folder)[name]
        return wrap(config)


def fabric_config(
    msp_id: str, folders: Mapping[str, Sequence[bytes]]
) -> msp_config_pb2.FabricMSPConfig:
    """Put the PEM files of the subfolders where FabricMSPConfig has them."""
    tls_roots = folders["tlscacerts"]
    return msp_config_pb2.FabricMSPConfig(
        name=msp_id,
        root_certs=folders["cacerts"],
        intermediate_certs=folders["intermediatecerts"],
        admins=folders["admincerts"],
        revocation_list=folders["crls"],
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        tls_root_certs=tls_roots,
        tls_intermediate_certs=folders["tlsintermediatecerts"] if tls_roots else (),
    )


def wrap(config: msp_config_pb2.FabricMSPConfig) -> msp_config_pb2.MSPConfig:
    """Wrap as the X.509 kind (type 0) of MSPConfig."""
    return msp_config_pb2.MSPConfig(type=0, config=config.SerializeToString(deterministic=True))


def write_msp(directory: Path | str, files: MspFiles) -> None:
    """Write an MSP folder; key files are readable by their owner only."""
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    for folder in PUBLIC_FOLDERS:
        for name, data in getattr(files, folder).items():
            write_file(root / folder / name, data)
    for name, data in files.keystore.items():
        write_file(root / "keystore" / name, data, secret=True)
    if files.node_ou_certificate is not None:
        write_file(root / "config.yaml", node_ou_config(files.node_ou_certificate))


def node_ou_config(certificate: str) -> bytes:
    """Return a config.yaml that enforces the four node OUs under one CA certificate."""
    lines = ["NodeOUs:", "  Enable: true"]
    for role in ROLES:
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
            os.fchmod(descriptor, mode)  # a file that was there keeps its old mode otherwise
        file.write(data)


def _in_order(files: Mapping[str, bytes]) -> list[bytes]:
    return [files[name] for name in sorted(files)]
