"""Chaincode as a service: the peer dials it and speaks the shim protocol on one stream.

Many transactions share the stream, told apart by (channel, transaction id).  The chaincode
registers first; the peer answers REGISTERED and READY.
(Fabric: core/chaincode/extcc, core/chaincode/handler.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Channel
from gridloom.common.wire import parse
from gridloom.protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeID
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from .errors import EXECUTION_TIMEOUT, STREAM_TERMINATED, ExecutionFailed
from .runtime import Exchange
from .session import REQUEST_TYPES, request_failed
from .worker import in_thread

CONNECT = "/protos.Chaincode/Connect"
PARAMETERS = ChaincodeAdditionalParams(
    use_write_batch=True,
    max_size_write_batch=1000,
    use_get_multiple_keys=True,
    max_size_get_multiple_keys=1000,
)

_Key = tuple[str, str]

log = logging.getLogger(__name__)


class StreamBroken(GridloomError):
    """The chaincode spoke out of turn, or its stream ended; reason says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Execution:
    handle: Exchange
    completed: asyncio.Future[ChaincodeMessage]
    busy: bool = False


class ServiceRuntime:
    """One chaincode service behind one stream; a lost stream never comes back to life.

    execute_timeout: seconds for one transaction.
    """

    def __init__(self, package_id: str, channel: Channel, *, execute_timeout: float) -> None:
        self._package_id = package_id
        self._channel = channel
        self._execute_timeout = execute_timeout
        self._outgoing: asyncio.Queue[ChaincodeMessage] = asyncio.Queue()
        self._executions: dict[_Key, _Execution] = {}
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._calls: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read(), name=f"chaincode {package_id}")

    @property
    def lost(self) -> bool:
        """Whether the stream has ended, so that the package must be launched again."""
        return self._reader.done()

    async def wait_ready(self, timeout: float) -> None:
        """Return when the chaincode has registered; StreamBroken when it does not in time."""
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise StreamBroken(
                f"timeout expired while starting chaincode {self._package_id} for transaction"
            ) from None

    async def execute(self, message: ChaincodeMessage, handle: Exchange) -> ChaincodeMessage:
        """Run one transaction; ExecutionFailed on timeout and when the stream is lost."""
        if self.lost:
            raise ExecutionFailed(STREAM_TERMINATED)
        key = (message.channel_id, message.txid)
        execution = _Execution(handle, asyncio.get_running_loop().create_future())
        self._executions[key] = execution
        self._outgoing.put_nowait(message)
        try:
            async with asyncio.timeout(self._execute_timeout):
                return await execution.completed
        except TimeoutError:
            raise ExecutionFailed(EXECUTION_TIMEOUT) from None
        finally:
            del self._executions[key]

    async def stop(self) -> None:
        """End the stream and close the connection."""
        self._reader.cancel()
        await asyncio.gather(self._reader, *self._calls, return_exceptions=True)
        await self._channel.close()

    async def _send(self) -> AsyncIterator[ChaincodeMessage]:
        while True:
            yield await self._outgoing.get()

    async def _read(self) -> None:
        reason = STREAM_TERMINATED
        responses = self._channel.stream(CONNECT, self._send(), ChaincodeMessage)
        try:
            self._register(await anext(responses))
            async for message in responses:
                self._receive(message)
        except StopAsyncIteration:
            log.info("chaincode %s closed its stream before registering", self._package_id)
        except GridloomError as error:
            reason = str(error)
            log.warning("chaincode %s: stream ended: %s", self._package_id, reason)
        finally:
            await responses.aclose()
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(StreamBroken(reason))
            self._ready.exception()  # nobody may be waiting any more
        for execution in self._executions.values():
            if not execution.completed.done():
                execution.completed.set_exception(ExecutionFailed(STREAM_TERMINATED))

    def _register(self, message: ChaincodeMessage) -> None:
        if message.type != ChaincodeMessage.REGISTER:
            raise StreamBroken(f"message {message.type} came before REGISTER")
        name = parse(ChaincodeID, message.payload, "ChaincodeID").name
        if name != self._package_id:
            raise StreamBroken(f"the service registered as '{name}', not '{self._package_id}'")
        self._outgoing.put_nowait(ChaincodeMessage(type=ChaincodeMessage.REGISTERED))
        ready = ChaincodeMessage(
            type=ChaincodeMessage.READY, payload=PARAMETERS.SerializeToString()
        )
        self._outgoing.put_nowait(ready)
        self._ready.set_result(None)

    def _receive(self, message: ChaincodeMessage) -> None:
        if message.type == ChaincodeMessage.KEEPALIVE:
            return
        execution = self._executions.get((message.channel_id, message.txid))
        if message.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR):
            if execution is not None and not execution.completed.done():
                execution.completed.set_result(message)
        elif message.type not in REQUEST_TYPES:
            raise StreamBroken(f"cannot handle message {message.type} while in ready state")
        elif execution is None:
            self._outgoing.put_nowait(_no_context(message))
        elif execution.busy:
            log.error("another request pending for transaction %s: dropped", message.txid)
        elif message.type == ChaincodeMessage.INVOKE_CHAINCODE:
            self._call(execution, message)
        else:
            self._outgoing.put_nowait(execution.handle(message))

    def _call(self, execution: _Execution, message: ChaincodeMessage) -> None:
        """Answer in a worker thread: the callee may be a service too, and take its time."""
        execution.busy = True
        task = asyncio.create_task(self._answer(execution, message))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, execution: _Execution, message: ChaincodeMessage) -> None:
        reply = await in_thread(lambda: execution.handle(message))
        execution.busy = False
        self._outgoing.put_nowait(reply)


def _no_context(message: ChaincodeMessage) -> ChaincodeMessage:
    text = request_failed(message.type, message.txid, "no ledger context")
    return ChaincodeMessage(
        type=ChaincodeMessage.ERROR,
        payload=text.encode(),
        txid=message.txid,
        channel_id=message.channel_id,
    )
