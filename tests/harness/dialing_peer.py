"""A peer's end of the chaincode stream, as small as the protocol allows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from gridloom.chaincode import Chaincode, PeerParameters
from gridloom.chaincode.peer_link import ChaincodeMessage, Exchange
from gridloom.common.rpc import Channel
from gridloom.protos.peer.chaincode_pb2 import ChaincodeAdditionalParams
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Message

CONNECT = "/protos.Chaincode/Connect"
_ENDS = (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR)


class DialingPeer:
    """Dials a chaincode service, shakes hands and runs transactions, many at a time."""

    def __init__(self, channel: Channel) -> None:
        self._outgoing: asyncio.Queue[Message | None] = asyncio.Queue()
        self._stream = channel.stream(CONNECT, self._requests(), Message)
        self._inboxes: dict[str, asyncio.Queue[Message]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.registered_as = b""

    async def _requests(self) -> AsyncIterator[Message]:
        while (message := await self._outgoing.get()) is not None:
            yield message

    def send(self, message: Message) -> None:
        """Send any message."""
        self._outgoing.put_nowait(message)

    async def receive(self) -> Message:
        """Return the next message as it comes; before shake_hands only."""
        return await anext(self._stream)

    async def shake_hands(self, params: ChaincodeAdditionalParams | None = None) -> None:
        """Take REGISTER, answer REGISTERED and READY, and read on."""
        register = await self.receive()
        assert register.type == ChaincodeMessage.REGISTER
        self.registered_as = register.payload
        payload = params.SerializeToString() if params is not None else b""
        self.send(Message(type=ChaincodeMessage.REGISTERED))
        self.send(Message(type=ChaincodeMessage.READY, payload=payload))
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._stream:
            self._inboxes[message.txid].put_nowait(message)

    async def execute(self, message: Message, answer: Callable[[Message], Message]) -> Message:
        """Run a transaction whose requests ``answer`` serves; return COMPLETED or ERROR."""
        inbox = self._inboxes[message.txid] = asyncio.Queue()
        self.send(message)
        while (received := await inbox.get()).type not in _ENDS:
            self.send(answer(received))
        return received

    async def hang_up(self) -> None:
        """Close the sending side and wait for the other."""
        self._outgoing.put_nowait(None)
        if self._reading is not None:
            await self._reading


class RunsTransactions(Protocol):
    """A peer's end of a stream: a DialingPeer, or the real one's runtime."""

    async def execute(self, message: Message, handle: Exchange, /) -> Message:
        """Run a transaction whose requests ``handle`` serves."""
        ...


class RemoteChaincode(Chaincode):
    """A chaincode at the other end of a peer's stream, for a MemoryLedger to run."""

    def __init__(self, peer: RunsTransactions) -> None:
        self._peer = peer
        self._loop = asyncio.get_running_loop()

    def handle_transaction(
        self, message: Message, exchange: Exchange, parameters: PeerParameters | None = None
    ) -> Message:
        """Run the transaction over there; called in another thread than the loop's."""
        running = self._peer.execute(message, exchange)
        return asyncio.run_coroutine_threadsafe(running, self._loop).result()
