"""Running chaincode packages: what the host expects of whatever runs one.

(Fabric: core/chaincode/container_runtime.go, core/container)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

Exchange = Callable[[ChaincodeMessage], ChaincodeMessage]
"""Answers one request of a chaincode (GET_STATE, …) with RESPONSE or ERROR."""


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """A package on this peer, ready to launch.

    id: label and hash; code: code.tar.gz; dir: the same code unpacked, read-only.
    """

    id: str
    label: str
    type: str
    path: str
    code: bytes = field(repr=False)
    dir: Path


class ChaincodeRuntime(Protocol):
    """One running package, which serves every definition that refers to it."""

    @property
    def lost(self) -> bool:
        """Whether the package has to be launched again before it can execute."""
        ...

    async def execute(self, message: ChaincodeMessage, handle: Exchange) -> ChaincodeMessage:
        """Run one TRANSACTION or INIT and return COMPLETED or ERROR.

        handle answers the chaincode's requests; it may be called from another thread, one
        request at a time.  Raises ExecutionFailed on timeout and when the chaincode is lost.
        """
        ...

    async def stop(self) -> None:
        """Release the runtime; transactions under way fail."""
        ...


class ChaincodeLauncher(Protocol):
    """Starts the packages of one type; whoever assembles the peer supplies it."""

    @property
    def waits(self) -> bool:
        """Whether its runtimes wait for somebody else; False when they run in this process."""
        ...

    async def launch(self, package: InstalledPackage) -> ChaincodeRuntime:
        """Return the running package; any GridloomError becomes LaunchFailed."""
        ...
