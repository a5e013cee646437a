"""The SDK for programs without asyncio.

One background thread runs the event loop; every noun of the SDK is wrapped, so that what is
awaited there simply returns here, and what is iterated with ``async for`` is iterated with
``for``:

>>> with connect("localhost:7051", signer, tls) as gateway:
...     network = gateway.get_network("mychannel")
...     print(network.get_contract("basic").evaluate_transaction("GetAllAssets"))
...     with network.chaincode_events("basic") as events:
...         print(next(events))

Nothing is implemented twice: a wrapper knows no names, only how to wait.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Self, TypeVar

from gridloom.common.rpc.tls import ClientTls

from .event_stream import EventsRequest, EventStream
from .gateway import Gateway
from .identity import Identity, Signer
from .session import Timeouts

T = TypeVar("T")


class EventLoopThread:
    """An event loop that runs in a thread of its own until closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="gridloom-client", daemon=True
        )
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be run any more."""
        return self._loop.is_closed()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return its result; Ctrl-C cancels it."""
        if self.is_closed:
            coroutine.close()
            raise RuntimeError("the gateway is closed")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """End everything on the loop, stop it and join the thread; may be called again."""
        if self.is_closed:
            return
        self.run(_end_all_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Blocking:
    """An SDK object whose coroutines block.

    A request for events is iterated with ``for``, or entered with ``with`` to begin listening:
    then it is a BlockingStream.
    """

    def __init__(self, target: object, thread: EventLoopThread) -> None:
        self._target = target
        self._thread = thread

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the wrapped object has
        return self._wrap(getattr(self._target, name))

    def __iter__(self) -> Iterator[Any]:
        """Iterate events; the stream ends with the iterator."""
        stream = BlockingStream(self._request().__aiter__(), self._thread)
        try:
            yield from stream
        finally:
            stream.close()

    def __enter__(self) -> BlockingStream:
        stream = self._thread.run(self._request().__aenter__())
        return BlockingStream(stream, self._thread)

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401  # handed on as they are
        if not self._thread.is_closed:
            self._thread.run(self._request().__aexit__(*error))

    def __repr__(self) -> str:
        return f"blocking {self._target!r}"

    def _request(self) -> EventsRequest[Any]:
        if not isinstance(self._target, EventsRequest):
            raise TypeError(f"{type(self._target).__name__} is not a request for events")
        return self._target

    def _wrap(self, value: Any) -> Any:  # noqa: ANN401
        if inspect.ismethod(value):
            return self._method(value)
        if type(value).__module__.startswith(__package__) and hasattr(value, "_session"):
            return Blocking(value, self._thread)
        return value

    def _method(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            result = method(*arguments, **options)
            if inspect.iscoroutine(result):
                result = self._thread.run(result)
            return self._wrap(result)

        return call


class BlockingStream:
    """Events as they come, until closed."""

    def __init__(self, stream: EventStream[Any], thread: EventLoopThread) -> None:
        self._stream = stream
        self._thread = thread

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:  # noqa: ANN401  # an event or a block
        try:
            return self._thread.run(self._next(None))
        except StopAsyncIteration:
            raise StopIteration from None

    def next(self, timeout: float) -> Any:  # noqa: ANN401
        """Return the next event; TimeoutError when it takes longer than so many seconds.

        Inside ``with`` the stream goes on after that.
        """
        return self._thread.run(self._next(timeout))

    def close(self) -> None:
        """Stop listening."""
        if not self._thread.is_closed:
            self._thread.run(self._stream.aclose())

    async def _next(self, timeout: float | None) -> Any:  # noqa: ANN401
        async with asyncio.timeout(timeout):
            return await anext(self._stream)


class BlockingGateway(Blocking):
    """A gateway with an event loop of its own; close it, or use it in a ``with``."""

    def __enter__(self) -> Self:  # type: ignore[override]  # it is no request for events
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and the loop; may be called again."""
        if not self._thread.is_closed:
            self._thread.run(self._target.close())  # type: ignore[attr-defined]  # a Gateway
            self._thread.close()


def connect(
    target: str,
    signer: Signer | Identity,
    tls: ClientTls | None = None,
    *,
    timeouts: Timeouts | None = None,
) -> BlockingGateway:
    """Return a gateway to ``target`` (``host:port``) for use without asyncio."""

    async def connected() -> Gateway:
        return Gateway.connect(target, signer, tls, timeouts=timeouts)

    return blocking(connected)


def blocking(connected: Callable[[], Coroutine[Any, Any, Gateway]]) -> BlockingGateway:
    """Return the gateway that ``connected`` makes on the loop it is then used on.

    >>> async def connected() -> Gateway:
    ...     return profile.connect(signer)
    """
    thread = EventLoopThread()
    try:
        return BlockingGateway(thread.run(connected()), thread)
    except BaseException:
        thread.close()
        raise


async def _end_all_others() -> None:
    """Cancel every other task of the loop, and close what they iterated."""
    loop = asyncio.get_running_loop()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await loop.shutdown_asyncgens()
