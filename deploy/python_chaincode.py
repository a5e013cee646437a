"""Running Python chaincode packages inside the peer's process.

``deploy`` is where peer and chaincode meet: neither knows the other.
(Fabric: an external builder, which the peer asks to build and run what it was given.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gridloom.chaincode.loader import load
from gridloom.chaincode.peer_link import PeerParameters
from gridloom.peer.chaincodes.in_process import InProcessRuntime
from gridloom.peer.chaincodes.runtime import ChaincodeRuntime, InstalledPackage


def _unknown(package_id: str) -> Path | None:
    return None


class PythonLauncher:
    """Loads packages of type ``python``.

    msp_id: of the peer; development: put tracebacks into error messages; timeout: seconds for
    one transaction;
    origin: the folder a package was made of, by package id, so that breakpoints set in the
    author's files hold.
    """

    waits = False

    def __init__(
        self,
        msp_id: str,
        *,
        development: bool = False,
        timeout: float = 30.0,
        origin: Callable[[str], Path | None] = _unknown,
    ) -> None:
        self._parameters = PeerParameters(msp_id=msp_id)
        self._development = development
        self._timeout = timeout
        self._origin = origin

    async def launch(self, package: InstalledPackage) -> ChaincodeRuntime:
        """Import the package's code; ContractError if it cannot be imported."""
        chaincode = await asyncio.to_thread(
            load,
            package.dir,
            package.path,
            package.id,
            origin=self._origin(package.id),
            development=self._development,
            parameters=self._parameters,
        )
        return InProcessRuntime(chaincode, timeout=self._timeout)
