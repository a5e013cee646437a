"""Which packages are running: each is launched once, when it is first needed.

Concurrent requests for one package wait for the same launch; a failed launch, and a runtime
that was lost, are tried again at the next request.
(Fabric: core/chaincode/handler_registry.go, runtime_launcher.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from gridloom.common.errors import GridloomError

from .errors import ChaincodeHostError, LaunchFailed
from .lifecycle.store import PackageStore
from .runtime import ChaincodeLauncher, ChaincodeRuntime, InstalledPackage

log = logging.getLogger(__name__)


class Launches:
    """The running packages of one peer, by package id; used on the event loop only.

    launchers: by package type ("python", "ccaas").
    """

    def __init__(self, store: PackageStore, launchers: Mapping[str, ChaincodeLauncher]) -> None:
        self._store = store
        self._launchers = launchers
        self._running: dict[str, ChaincodeRuntime] = {}
        self._starting: dict[str, asyncio.Task[ChaincodeRuntime]] = {}
        self._failed: dict[str, LaunchFailed] = {}

    def running(self, package_id: str) -> ChaincodeRuntime | None:
        """Return the runtime of a package if it is ready, else None."""
        runtime = self._running.get(package_id)
        return None if runtime is None or runtime.lost else runtime

    async def get(self, package_id: str) -> ChaincodeRuntime:
        """Return the running package, launched if need be; LaunchFailed says why not."""
        runtime = self.running(package_id)
        if runtime is not None:
            return runtime
        return await asyncio.shield(self._begin(package_id))

    def require(self, package_id: str) -> ChaincodeRuntime:
        """Return the runtime of a package without waiting; LaunchFailed when it is not ready."""
        runtime = self.running(package_id)
        if runtime is None:
            reason = self._failed.get(package_id)
            raise reason or LaunchFailed(package_id, "it is still starting, try again")
        return runtime

    def settle(self, package_ids: Iterable[str]) -> bool:
        """Whether each of these runs or has failed to; those not tried yet begin to start."""
        settled = True
        for package_id in package_ids:
            if self.running(package_id) is None and package_id not in self._failed:
                settled = False
                self._begin(package_id)
        return settled

    async def stop(self) -> None:
        """Stop everything that runs or starts."""
        starting = list(self._starting.values())
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        running, self._running = self._running, {}
        for runtime in running.values():
            await runtime.stop()

    def _begin(self, package_id: str) -> asyncio.Task[ChaincodeRuntime]:
        task = self._starting.get(package_id)
        if task is None:
            task = asyncio.create_task(self._start(package_id), name=f"launch {package_id}")
            self._starting[package_id] = task
            task.add_done_callback(lambda ended: self._ended(package_id, ended))
        return task

    def _ended(self, package_id: str, task: asyncio.Task[ChaincodeRuntime]) -> None:
        del self._starting[package_id]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.warning("%s", error)

    async def _start(self, package_id: str) -> ChaincodeRuntime:
        lost = self._running.pop(package_id, None)
        if lost is not None:
            await lost.stop()
        try:
            package = self._store.open(package_id)
            runtime = await self._launcher(package).launch(package)
        except Exception as error:
            if not isinstance(error, GridloomError):  # the package's own code ran, and failed
                log.exception("chaincode %s", package_id)
            reason = str(error) if isinstance(error, GridloomError) else repr(error)
            failed = LaunchFailed(package_id, reason)
            self._failed[package_id] = failed
            raise failed from error
        self._failed.pop(package_id, None)
        self._running[package_id] = runtime
        return runtime

    def _launcher(self, package: InstalledPackage) -> ChaincodeLauncher:
        launcher = self._launchers.get(package.type.lower())
        if launcher is None:
            known = ", ".join(sorted(self._launchers)) or "none"
            raise ChaincodeHostError(
                f"this peer runs chaincode of type {known}, not '{package.type}'"
            )
        return launcher
