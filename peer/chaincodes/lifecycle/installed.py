"""Installed packages as approvals name them, and what a channel can run with them.

(Fabric: core/chaincode/lifecycle/cache.go)
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from gridloom.common.chaincode_package import InvalidPackage, package_id, parse_package

from ..errors import AlreadyInstalled
from .definitions import local_package
from .store import PackageReference, PackageStore

log = logging.getLogger(__name__)


class InstalledPackages:
    """The packages of a store, by the hash under which an approval stores their id.

    changes: grows with every installation, so that what was worked out before can be told
    to be old; listeners: called after each.
    """

    def __init__(self, store: PackageStore) -> None:
        self._store = store
        self._types: dict[str, str] = {}
        self._by_hash: dict[bytes, PackageReference] = {}
        self.listeners: list[Callable[[], None]] = []
        self.changes = 0
        self.refresh()

    def install(self, label: str, package: bytes) -> str:
        """Keep a package and return its id; AlreadyInstalled when it is there."""
        identifier = package_id(label, package)
        if self.get(identifier) is not None:
            raise AlreadyInstalled(identifier)
        self._store.save(label, package)
        self.refresh()
        for listener in self.listeners:
            listener()
        return identifier

    def load(self, package_id: str) -> bytes:
        """Return a package's bytes; PackageNotFound when it is not installed."""
        return self._store.load(package_id)

    def refresh(self) -> None:
        """Read the store again."""
        for reference in self._store.list():
            digest = hashlib.sha256(local_package(reference.id).fields["PackageID"]).digest()
            self._by_hash[digest] = reference
            if reference.id not in self._types:
                self._types[reference.id] = self._type(reference.id)
        self.changes += 1

    @property
    def types(self) -> Mapping[str, str]:
        """Package type by package id; empty for a package that cannot be read."""
        return MappingProxyType(self._types)

    def find(self, package_hash: bytes | None) -> PackageReference | None:
        """Return the package an approval's hash stands for, None when it is not installed."""
        return self._by_hash.get(package_hash) if package_hash is not None else None

    def get(self, package_id: str) -> PackageReference | None:
        """Return a package by id, None when it is not installed."""
        return next((found for found in self.all() if found.id == package_id), None)

    def all(self) -> Sequence[PackageReference]:
        """Return every installed package."""
        return list(self._by_hash.values())

    def _type(self, package_id: str) -> str:
        try:
            return parse_package(self._store.load(package_id)).type.lower()
        except InvalidPackage as error:
            log.warning("installed package %s cannot be read: %s", package_id, error)
            return ""
