"""A chaincode by the path that a person gives: what is deployed of it, and under which name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gridloom.client.admin import ChaincodeDefinition
from gridloom.common.chaincode_package import parse_package

from .access import NetworkAccess, Progress
from .home import NetworkHome
from .packaging import package_id_of, package_source

DEFAULT_VERSION = "1.0"

_PACKAGE_SUFFIXES = (".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class ChaincodeSource:
    """A chaincode to deploy. origin: the module or folder it was packaged from, if it was here."""

    name: str
    version: str
    package: bytes
    origin: Path | None

    @classmethod
    def read(
        cls, path: Path, *, name: str = "", version: str = DEFAULT_VERSION, module: str = ""
    ) -> Self:
        """Package a module or a folder, or take a package as it is.

        name: that of the path, or of the package's label, by default; module: where the
        contracts are, if not obvious.  SourceError, InvalidPackage, OSError.
        """
        if path.name.endswith(_PACKAGE_SUFFIXES):
            data = path.read_bytes()
            label = parse_package(data).label
            return cls(name or label.rpartition("_")[0] or label, version, data, None)
        name = name or path.resolve().stem
        data = package_source(path, label=f"{name}_{version}", module=module)
        return cls(name, version, data, path)

    def remember(self, home: NetworkHome) -> None:
        """Keep in a network's folder where the source is, for debuggers and tracebacks."""
        if self.origin is not None:
            home.remember_origin(package_id_of(self.package), self.origin)


async def deploy_missing(
    access: NetworkAccess, sources: Sequence[ChaincodeSource], progress: Progress
) -> None:
    """Deploy on the first channel the chaincodes that it has none of that name of."""
    channel = access.topology.channels[0]
    for source in sources:
        if await access.next_sequence(channel, source.name) == 1:
            definition = ChaincodeDefinition(source.name, source.version)
            await access.deploy_chaincode(source.package, definition, channel, progress)
        else:
            progress(f"{source.name} is there; upgrade it with: gridloom chaincode deploy")
