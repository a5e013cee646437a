"""A study: what `gridloom market run` can carry out, by name.

To add one, write `run(run: Run) -> Result` beside your paper's modules and name it in
`STUDIES` of your paper's module in studies/; `gridloom market list` then shows it, a
scenario file may name it under `study`, and built-in scenarios may be added in the same
module's `SCENARIOS`.  A study takes its parameters with `run.fields`, so that a bad one is
named; it tells how far it is with `run.progress`; and everything random in it comes from
`run.rng`.

Trading on a ledger: `run.on_ledger(work)` starts a network, runs `await work(consortium)`
in it and returns its answer; more channels than one may be asked for.  The consortium
deploys chaincodes of chaincode/energy by name (a dot leads into a sub-package) and gives
members, which submit with a Journal (journal.py).  Who starts the network is not the
market's business: the command does (cli/market_network.py), tests use a ledger in memory
(tests/harness).  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from types import MappingProxyType
from typing import Protocol, TypeVar

import numpy as np

from .cases import Fields
from .journal import Member
from .result import Result

T = TypeVar("T")

ONE_CHANNEL: Mapping[str, Sequence[str]] = MappingProxyType(
    {"market": ("operator", "prosumers", "utility")}
)

Progress = Callable[[str, int, int], None]
"""Called with what has just been done, and how many of how many steps that makes."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A channel's blocks so far: how many, and their bytes."""

    blocks: int
    size: int


class Consortium(Protocol):
    """A running network of an operator, prosumers and a utility, seen on one channel."""

    channel: str

    def on(self, channel: str) -> Consortium:
        """The same network on another of the channels it was started with."""

    async def deploy(self, chaincode: str) -> None:
        """Take a chaincode of chaincode/energy through the lifecycle; its module's name."""

    async def chain(self) -> Chain:
        """What the channel's ledger has come to."""

    def member(
        self, organisation: str, name: str, roles: str = "", capacity: int | None = None
    ) -> Member:
        """Somebody of "operator", "prosumers" or "utility", enrolled under a name.

        roles, capacity: what the certificate carries as gridloom.role and, in watts, as
        gridloom.capacity.
        """


class OnLedger(Protocol):
    """Runs work in a network that lives as long as the work."""

    def __call__(
        self,
        work: Callable[[Consortium], Awaitable[T]],
        /,
        channels: Mapping[str, Sequence[str]] = ONE_CHANNEL,
    ) -> T:
        """What the work returned; channels: names, the first of them the one that the
        consortium is on, and their organisations ("operator" and so on)."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One carrying out of a study.

    fields: the scenario's parameters; seed: of everything random; folder: where the
    scenario's relative paths begin; clock, cpu_clock: seconds, for what is measured; now:
    the time of day, which gates are set by.
    """

    fields: Fields
    seed: int
    progress: Progress
    on_ledger: OnLedger
    folder: Path = Path()
    clock: Callable[[], float] = perf_counter
    cpu_clock: Callable[[], float] = process_time
    now: Callable[[], datetime] = _utc_now

    def rng(self, *stream: int) -> np.random.Generator:
        """A generator of its own for each stream of numbers, the same for the same seed."""
        return np.random.default_rng([self.seed, *stream])


@dataclass(frozen=True, slots=True)
class Study:
    """summary: one line for `gridloom market list`."""

    summary: str
    run: Callable[[Run], Result]
    defaults: Mapping[str, object]
