"""The SDK for programs without asyncio.

One background thread runs the event loop; every noun of the SDK is wrapped, so that what is
awaited there simply returns here, and what is iterated with ``async for`` is iterated with
``for``:

>>> with connect("localhost:7051", signer, tls) as gateway:
...     contract = gateway.get_network("mychannel").get_contract("basic")
...     print(contract.evaluate_transaction("GetAllAssets"))

Nothing is implemented twice: a wrapper knows no names, only how to wait.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

from gridloom.common.rpc.grpc_channel import ClientTls

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

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return its result; Ctrl-C cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop and join the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Blocking:
    """An SDK object whose coroutines block and whose streams are plain iterators."""

    def __init__(self, target: object, thread: EventLoopThread) -> None:
        self._target = target
        self._thread = thread

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the wrapped object has
        return self._wrap(getattr(self._target, name))

    def __iter__(self) -> Iterator[Any]:
        """Iterate a stream of events; it is closed when the iterator is."""
        if not hasattr(self._target, "__aiter__"):
            raise TypeError(f"{type(self._target).__name__} is not a stream")
        events: AsyncIterator[Any] = self._target.__aiter__()
        try:
            while True:
                try:
                    yield self._wrap(self._thread.run(_next(events)))
                except StopAsyncIteration:
                    return
        finally:
            if inspect.isasyncgen(events):
                self._thread.run(_close(events))

    def __repr__(self) -> str:
        return f"blocking {self._target!r}"

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


class BlockingGateway(Blocking):
    """A gateway with an event loop of its own; close it, or use it in a ``with``."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and the loop."""
        self._thread.run(self._target.close())  # type: ignore[attr-defined]  # it is a Gateway
        self._thread.close()


def connect(
    target: str,
    signer: Signer | Identity,
    tls: ClientTls | None = None,
    *,
    timeouts: Timeouts | None = None,
) -> BlockingGateway:
    """Return a gateway to ``target`` (``host:port``) for use without asyncio."""
    thread = EventLoopThread()

    async def open_gateway() -> Gateway:
        return Gateway.connect(target, signer, tls, timeouts=timeouts)

    return BlockingGateway(thread.run(open_gateway()), thread)


async def _next(events: AsyncIterator[T]) -> T:
    return await anext(events)


async def _close(events: Any) -> None:  # noqa: ANN401
    await events.aclose()
