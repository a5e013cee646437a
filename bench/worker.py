"""A worker process: drives its share of every round that it is told of.

``python -m gridloom.bench.worker`` reads one JSON object a line on standard input and answers
on standard output: a job with ``ready`` or ``error``, the word to begin with ``progress``
now and then, and at the end ``tally`` or ``error``.
(Fabric: caliper-core/lib/worker/worker-message-handler.js)
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from gridloom.common.errors import GridloomError

from .driver import Driver, Share
from .failures import in_initialize
from .rates import FixedLoad, FixedRate, LinearRate, MaximumRate, RateController
from .rounds import Round
from .target import Target
from .workload import Connections, Workload, WorkloadContext, find_workload

PROGRESS_INTERVAL = 0.5
_RATES = {kind.__name__: kind for kind in (FixedLoad, FixedRate, LinearRate, MaximumRate)}


def job(round_: Round, target: Target, index: int, workers: int, seed: int) -> dict[str, Any]:
    """Return what a worker is told of a round."""
    return {
        "target": target.document(),
        "name": round_.name,
        "workload": round_.workload,
        "rate": [type(round_.rate).__name__, _fields(round_.rate)],
        "arguments": dict(round_.arguments),
        "duration": round_.duration,
        "count": round_.count,
        "warmup": round_.warmup,
        "retries": round_.retries,
        "index": index,
        "workers": workers,
        "seed": seed,
    }


def _fields(rate: RateController) -> dict[str, float]:
    return {name: getattr(rate, name) for name in type(rate).__slots__}


def _round_of(document: Mapping[str, Any]) -> Round:
    kind, fields = document["rate"]
    rate: RateController = _RATES[kind](**fields)
    names = ("name", "workload", "arguments", "duration", "count", "warmup", "retries")
    return Round(rate=rate, **{name: document[name] for name in names})


async def prepared(
    round_: Round, connections: Connections, index: int = 0, workers: int = 1, seed: int = 0
) -> Workload:
    """Return a round's workload, initialized; WorkloadError, or what it raised as one."""
    workload = find_workload(round_.workload)()
    context = WorkloadContext(connections, round_.arguments, index, workers, round_.name, seed)
    try:
        await workload.initialize(context)
    except Exception as error:
        raise in_initialize(round_.workload, error) from error
    return workload


async def serve(lines: asyncio.StreamReader) -> None:
    """Do the jobs that come in until the input ends."""
    while line := await lines.readline():
        try:
            await _do(json.loads(line), lines)
        except GridloomError as error:
            _say(error=str(error))


async def _do(document: Mapping[str, Any], lines: asyncio.StreamReader) -> None:
    round_, target = _round_of(document), Target.read(document["target"])
    index, workers = document["index"], document["workers"]
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(target.connect())
        workload = await prepared(round_, connections, index, workers, document["seed"])
        stack.push_async_callback(workload.cleanup)
        _say(ready=True)
        begin = json.loads(await lines.readline())["begin"]
        if begin is None:  # another worker could not prepare
            _say(ready=False)
            return
        driver = Driver(workload, round_, Share(index, workers, begin))
        reporting = asyncio.create_task(_report(driver))
        try:
            tally = await driver.run()
        finally:
            reporting.cancel()
        _say(tally=tally.document())


async def _report(driver: Driver) -> None:
    while True:
        await asyncio.sleep(PROGRESS_INTERVAL)
        tally = driver.tally
        _say(progress=[tally.succeeded, tally.failed.total()])


def _say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**26)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await serve(lines)


def main() -> None:
    """Run as a program, on uvloop where that is installed."""
    from gridloom.deploy.memory import settle_memory  # noqa: PLC0415

    settle_memory()
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        asyncio.run(_main())
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main())


if __name__ == "__main__":
    main()
