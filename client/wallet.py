"""Wallets: identities kept as files, in the form of the official SDKs.

A folder holds one file ``<label>.id`` for each identity, with its private key: keep it as safe
as the keys themselves (fabric-network: Wallets.newFileSystemWallet).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.identities import SigningIdentity

from .identity import new_signer

SUFFIX = ".id"
X509 = "X.509"
VERSION = 1


class WalletError(GridloomError):
    """A wallet entry that cannot be read or written: its label, and why."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"wallet identity {label!r}: {reason}")
        self.label = label
        self.reason = reason


@dataclass(frozen=True, slots=True)
class WalletIdentity:
    """An identity with its key, both in PEM."""

    msp_id: str
    certificate: bytes
    private_key: bytes = field(repr=False)

    def signer(self) -> SigningIdentity:
        """Return it as a signer; a GridloomError if certificate or key cannot be used."""
        return new_signer(self.msp_id, self.certificate, self.private_key)


class Wallet:
    """The identities of a folder; it is made when the first one is put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def labels(self) -> Sequence[str]:
        """Return the labels of all identities, sorted."""
        return sorted(path.name.removesuffix(SUFFIX) for path in self.folder.glob(f"*{SUFFIX}"))

    def __contains__(self, label: str) -> bool:
        return self._path(label).is_file()

    def get(self, label: str) -> WalletIdentity:
        """Return an identity; WalletError if there is none or the file is not one."""
        try:
            text = self._path(label).read_text(encoding="utf-8")
        except FileNotFoundError:
            known = ", ".join(self.labels()) or "none"
            raise WalletError(label, f"there is none in {self.folder}; there is: {known}") from None
        try:
            return _read(load_json(text))
        except (ValueError, KeyError, TypeError) as error:
            raise WalletError(label, f"not a wallet file: {_reason(error)}") from error

    def put(self, label: str, identity: WalletIdentity) -> None:
        """Keep an identity, readable to this user only, over one of the same label."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(label)
        temporary = path.with_name(f".{path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(_document(identity), file)
        os.replace(temporary, path)

    def remove(self, label: str) -> None:
        """Delete an identity, if it is there."""
        self._path(label).unlink(missing_ok=True)

    def _path(self, label: str) -> Path:
        if not label or label != Path(label).name:
            raise WalletError(label, "a label is also the name of a file")
        return self.folder / f"{label}{SUFFIX}"


def _document(identity: WalletIdentity) -> dict[str, Any]:
    return {
        "credentials": {
            "certificate": identity.certificate.decode(),
            "privateKey": identity.private_key.decode(),
        },
        "mspId": identity.msp_id,
        "type": X509,
        "version": VERSION,
    }


def _read(document: Any) -> WalletIdentity:  # noqa: ANN401  # whatever the JSON holds
    kind, version = document["type"], document["version"]
    if kind != X509:
        raise ValueError(f"identities of type {kind!r} are not supported")
    if version != VERSION:
        raise ValueError(f"version {version!r} is not supported")
    credentials = document["credentials"]
    return WalletIdentity(
        str(document["mspId"]),
        str(credentials["certificate"]).encode(),
        str(credentials["privateKey"]).encode(),
    )


def _reason(error: Exception) -> str:
    """Say what is wrong without the content, which is secret."""
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg} in line {error.lineno}"
    return str(error)
