"""Which packages are running: each is launched once, when it is first needed.

Concurrent requests for one package wait for the same launch; a failed launch, and a runtime
that was lost, are tried again at the next request.
(Fabric: core/chaincode/handler_registry.go, runtime_launcher.go)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from gridloom.common.errors import GridloomError

from .errors import LaunchFailed
from .lifecycle.store import PackageStore
from .runtime import ChaincodeLauncher, ChaincodeRuntime, InstalledPackage

R = TypeVar("R")


class Launches:
    """The running packages of one peer, by package id; used on the event loop only.

    launchers: by package type ("python", "ccaas").
    """

    def __init__(self, store: PackageStore, launchers: Mapping[str, ChaincodeLauncher]) -> None:
        self._store = store
        self._launchers = launchers
        self._running: dict[str, ChaincodeRuntime] = {}
        self._starting: dict[str, asyncio.Task[ChaincodeRuntime]] = {}

    def running(self, package_id: str) -> ChaincodeRuntime | None:
        """Return the runtime of a package if it is ready, else None."""
        runtime = self._running.get(package_id)
        return None if runtime is None or runtime.lost else runtime

    async def get(self, package_id: str) -> ChaincodeRuntime:
        """Return the running package, launched if need be; LaunchFailed says why not."""
        runtime = self.running(package_id)
        if runtime is not None:
            return runtime
        task = self._starting.get(package_id)
        if task is None:
            task = asyncio.create_task(self._start(package_id), name=f"launch {package_id}")
            self._starting[package_id] = task
            task.add_done_callback(lambda _: self._starting.pop(package_id, None))
        return await asyncio.shield(task)

    def start_now(self, package_id: str) -> ChaincodeRuntime:
        """Launch a package whose launcher never waits; LaunchFailed when it does."""
        return _without_waiting(self._launch(package_id), package_id)

    async def stop(self) -> None:
        """Stop everything that runs or starts."""
        starting = list(self._starting.values())
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)
        running, self._running = self._running, {}
        for runtime in running.values():
            await runtime.stop()

    async def _start(self, package_id: str) -> ChaincodeRuntime:
        lost = self._running.pop(package_id, None)
        if lost is not None:
            await lost.stop()
        return await self._launch(package_id)

    async def _launch(self, package_id: str) -> ChaincodeRuntime:
        try:
            package = self._store.open(package_id)
            runtime = await self._launcher(package).launch(package)
        except GridloomError as error:
            raise LaunchFailed(package_id, str(error)) from error
        self._running[package_id] = runtime
        return runtime

    def _launcher(self, package: InstalledPackage) -> ChaincodeLauncher:
        launcher = self._launchers.get(package.type.lower())
        if launcher is None:
            known = ", ".join(sorted(self._launchers)) or "none"
            raise LaunchFailed(
                package.id, f"this peer cannot run chaincode of type '{package.type}' ({known})"
            )
        return launcher


def _without_waiting(coroutine: Coroutine[Any, Any, R], package_id: str) -> R:
    """Run a coroutine that comes to its end without ever being suspended."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: R = end.value
        return result
    coroutine.close()
    raise LaunchFailed(package_id, "it is still starting, try again")
