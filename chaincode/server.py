"""Chaincode as a service: the peer dials, the chaincode answers (Fabric: shim/chaincodeserver.go).

    server = ChaincodeServer(chaincode, ServerSettings("127.0.0.1:9999", package_id))
    await server.start()

Any Fabric peer can be given such a service: install a package of type ``ccaas`` whose
connection.json holds the address.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from gridloom.common.rpc.server import Call, ServiceRegistry
from gridloom.common.rpc.transport import grpc_server
from gridloom.protos.peer import chaincode_shim_pb2

from .chaincode import Chaincode
from .handler import StreamHandler
from .settings import ServerSettings

SERVICE = "protos.Chaincode"


class ChaincodeServer:
    """A chaincode that listens; any number of peers may be connected."""

    def __init__(self, chaincode: Chaincode, settings: ServerSettings) -> None:
        self._chaincode = chaincode
        self._settings = settings
        self._executor = ThreadPoolExecutor(settings.workers, thread_name_prefix="transaction")
        self._server = grpc_server(self.services(), settings.address, settings.tls)

    def services(self) -> ServiceRegistry:
        """Return the registry with ``protos.Chaincode``."""
        registry = ServiceRegistry()
        registry.add(SERVICE, self)
        return registry

    async def connect(
        self, requests: AsyncIterator[chaincode_shim_pb2.ChaincodeMessage], call: Call
    ) -> AsyncGenerator[chaincode_shim_pb2.ChaincodeMessage, None]:
        """Serve one peer's stream (rpc Connect)."""
        settings = self._settings
        handler = StreamHandler(
            self._chaincode, settings.package_id, self._executor, settings.msp_id
        )
        async with aclosing(handler.chat(requests)) as messages:
            async for message in messages:
                yield message

    async def start(self) -> int:
        """Listen and return the bound port; OSError if the address cannot be had."""
        return await self._server.start()

    async def stop(self) -> None:
        """Hang up; transactions that wait for their peer fail."""
        await self._server.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)
