"""Launching packages of type ccaas: dial the address in connection.json, wait for READY.

(Fabric: core/chaincode/runtime_launcher.go, core/chaincode/extcc)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gridloom.common.rpc import Channel
from gridloom.common.rpc.transport import grpc_channel

from .connection import ServiceConnection, read_connection
from .runtime import InstalledPackage
from .service import ServiceRuntime, StreamBroken

Dial = Callable[[ServiceConnection], Awaitable[Channel]]


async def dial_grpc(connection: ServiceConnection) -> Channel:
    """Connect, trying again until dial_timeout has passed; StreamBroken after that."""
    channel = grpc_channel(connection.address, connection.tls)
    try:
        async with asyncio.timeout(connection.dial_timeout):
            await channel.wait_for_ready()
    except TimeoutError:
        await channel.close()
        raise StreamBroken(
            f"error creating grpc connection to {connection.address}: "
            "failed to create new connection: context deadline exceeded"
        ) from None
    except BaseException:
        await channel.close()
        raise
    return channel


class ServiceLauncher:
    """Starts nothing: the service runs elsewhere and is dialled.

    execute_timeout, startup_timeout: seconds for a transaction, and for the registration.
    """

    def __init__(
        self,
        *,
        execute_timeout: float = 30.0,
        startup_timeout: float = 300.0,
        dial: Dial = dial_grpc,
    ) -> None:
        self._execute_timeout = execute_timeout
        self._startup_timeout = startup_timeout
        self._dial = dial

    @property
    def waits(self) -> bool:
        """True: the service is somebody else's process."""
        return True

    async def launch(self, package: InstalledPackage) -> ServiceRuntime:
        """Return the service once it has registered under the package's id."""
        connection = read_connection(package.code)
        try:
            channel = await self._dial(connection)
        except StreamBroken as error:
            raise StreamBroken(
                f"connection to {package.id} failed: "
                f"error cannot create connection for {package.id}: {error}"
            ) from error
        runtime = ServiceRuntime(package.id, channel, execute_timeout=self._execute_timeout)
        try:
            await runtime.wait_ready(self._startup_timeout)
        except BaseException:
            await runtime.stop()
            raise
        return runtime
