"""The chaincode's end of the stream to a peer (Fabric: shim/handler.go).

The chaincode registers first, the peer answers REGISTERED and READY; from then on the peer
sends transactions and answers their requests.  Many transactions share the stream, each with
at most one request under way, and are told apart by channel and transaction id.  Each runs in
a worker thread, which waits while the loop talks to the peer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import Executor
from queue import SimpleQueue

from gridloom.protos.peer import chaincode_pb2, chaincode_shim_pb2

from .chaincode import Chaincode
from .errors import HandshakeError, PeerError
from .peer_link import ChaincodeMessage, PeerParameters

log = logging.getLogger(__name__)

_Message = chaincode_shim_pb2.ChaincodeMessage
_Transaction = tuple[str, str]


class StreamHandler:
    """Serves one chaincode on one stream.

    package_id: under which it registers; msp_id: the peer's organisation, if known.
    """

    def __init__(
        self, chaincode: Chaincode, package_id: str, executor: Executor, msp_id: str = ""
    ) -> None:
        self._chaincode = chaincode
        self._package_id = package_id
        self._executor = executor
        self._msp_id = msp_id
        self._parameters = PeerParameters()
        self._state = "created"
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self._outgoing: asyncio.Queue[_Message | None] = asyncio.Queue()
        self._answers: dict[_Transaction, SimpleQueue[_Message | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def chat(self, incoming: AsyncIterator[_Message]) -> AsyncGenerator[_Message, None]:
        """Yield what goes to the peer until it hangs up; HandshakeError if it breaks the rules."""
        reading = asyncio.create_task(self._read(incoming))
        reading.add_done_callback(lambda _: self._outgoing.put_nowait(None))
        try:
            identity = chaincode_pb2.ChaincodeID(name=self._package_id)
            yield ChaincodeMessage(
                type=ChaincodeMessage.REGISTER, payload=identity.SerializeToString()
            )
            while (message := await self._outgoing.get()) is not None:
                yield message
            reading.result()
        finally:
            reading.cancel()
            self._end()

    async def _read(self, incoming: AsyncIterator[_Message]) -> None:
        async for message in incoming:
            if message.type == ChaincodeMessage.KEEPALIVE:
                self._outgoing.put_nowait(message)
            else:
                self._receive(message)

    def _receive(self, message: _Message) -> None:
        match self._state, message.type:
            case "created", ChaincodeMessage.REGISTERED:
                self._state = "established"
            case "established", ChaincodeMessage.READY:
                self._parameters = PeerParameters.from_ready(message.payload, self._msp_id)
                self._state = "ready"
                log.info("%s is ready", self._package_id)
            case "ready", ChaincodeMessage.TRANSACTION | ChaincodeMessage.INIT:
                self._begin(message)
            case "ready", ChaincodeMessage.RESPONSE | ChaincodeMessage.ERROR:
                self._pass_on(message)
            case state, type_:
                known = type_ in ChaincodeMessage.Type.values()
                name = ChaincodeMessage.Type.Name(type_) if known else str(type_)
                raise HandshakeError(state, name)

    def _begin(self, message: _Message) -> None:
        transaction = (message.channel_id, message.txid)
        if transaction in self._answers:
            text = f"transaction {message.txid} is already under way on this stream"
            self._outgoing.put_nowait(_error(message, text))
            return
        self._answers[transaction] = SimpleQueue()
        task = asyncio.create_task(self._transact(transaction, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _transact(self, transaction: _Transaction, message: _Message) -> None:
        try:
            answer = await self._loop.run_in_executor(
                self._executor, self._run, transaction, message
            )
        except Exception as error:
            log.exception("transaction %s could not be run", message.txid)
            answer = _error(message, f"{type(error).__name__}: {error}")
        finally:
            self._answers.pop(transaction, None)
        self._outgoing.put_nowait(answer)

    def _run(self, transaction: _Transaction, message: _Message) -> _Message:
        """Run a transaction; in a worker thread."""
        answers = self._answers[transaction]

        def exchange(request: _Message) -> _Message:
            answer = None
            if not self._ended:
                self._loop.call_soon_threadsafe(self._outgoing.put_nowait, request)
                answer = answers.get()
            if answer is None:
                name = ChaincodeMessage.Type.Name(request.type)
                raise PeerError(name, "chaincode stream terminated")
            return answer

        return self._chaincode.handle_transaction(message, exchange, self._parameters)

    def _pass_on(self, message: _Message) -> None:
        answers = self._answers.get((message.channel_id, message.txid))
        if answers is None:
            log.warning("an answer for unknown transaction %s is dropped", message.txid)
        else:
            answers.put(message)

    def _end(self) -> None:
        """Let waiting transactions fail: nobody will answer them."""
        self._ended = True
        for answers in self._answers.values():
            answers.put(None)


def _error(message: _Message, text: str) -> _Message:
    return ChaincodeMessage(
        type=ChaincodeMessage.ERROR,
        payload=text.encode(),
        txid=message.txid,
        channel_id=message.channel_id,
    )
