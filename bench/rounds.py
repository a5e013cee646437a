"""A benchmark as a YAML document: its rounds, in Caliper's words.

::

    test:
      workers: 2
      rounds:
        - label: submit at half load
          workload: {module: submit, arguments: {bytes: 600}}
          txDuration: 30                       # or txNumber
          warmUp: 5
          retries: 0                           # of MVCC conflicts
          rateControl: {type: fixed-rate, opts: {tps: 250}}

Rate controllers: fixed-load (transactionLoad), fixed-rate (tps), linear-rate (startingTps,
finishingTps), maximum-rate (startingTps, factor, seconds, latencyLimit in ms), which is followed
by a round at half the rate that it found.
(Fabric: Caliper's benchmark configuration file)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gridloom.deploy.document import DocumentError, Section, read_document, section_of

from .rates import FixedLoad, FixedRate, LinearRate, MaximumRate, RateController

DEFAULT_DURATION = 10.0
DEFAULT_WARM_UP = 2.0
DEFAULT_CONCURRENCY = 64
DEFAULT_SEARCH = MaximumRate(starting_tps=50.0, factor=2.0, seconds=5.0, latency_limit_ms=2000.0)
MOST_WORKERS = 64


@dataclass(frozen=True, slots=True)
class Round:
    """One round.

    workload: the name of a built-in module or the path of a file; count: measured
    transactions, None when the duration (seconds) ends the round; warmup: seconds of the same
    load before anything counts; retries: how often a transaction is made anew after an
    MVCC conflict.
    """

    name: str
    workload: str
    rate: RateController
    arguments: Mapping[str, Any] = field(default_factory=dict)
    duration: float = DEFAULT_DURATION
    count: int | None = None
    warmup: float = DEFAULT_WARM_UP
    retries: int = 0

    def at_half_of(self, tps: float) -> Round:
        """Return a round of the same work at half of a rate."""
        return replace(self, name=f"{self.name} at half load", rate=FixedRate(tps / 2), count=None)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Rounds in their order, and how many worker processes share each."""

    rounds: Sequence[Round]
    workers: int = 1
    name: str = ""


def load_benchmark(path: Path, workers: int | None = None) -> Benchmark:
    """Read a rounds file; DocumentError names the path of the first fault, or OSError.

    Paths of workload modules count from the file's folder.  workers: instead of the file's.
    """
    benchmark = parse_benchmark(path.read_bytes(), path.parent)
    return benchmark if workers is None else replace(benchmark, workers=workers)


def single_round(
    workload: str,
    *,
    concurrency: int | None = None,
    tps: float | None = None,
    saturation: bool = False,
    duration: float = DEFAULT_DURATION,
    warmup: float = DEFAULT_WARM_UP,
    retries: int = 0,
    arguments: Mapping[str, Any] | None = None,
    workers: int = 1,
) -> Benchmark:
    """Return a benchmark of one round; a closed loop of 64 unless told otherwise."""
    rate: RateController = FixedLoad(concurrency or DEFAULT_CONCURRENCY)
    if tps is not None:
        rate = FixedRate(tps)
    elif saturation:
        rate = replace(DEFAULT_SEARCH, seconds=duration)
    found = Round(
        Path(workload).stem,
        workload,
        rate,
        arguments or {},
        duration,
        warmup=warmup,
        retries=retries,
    )
    return Benchmark([found], workers)


def parse_benchmark(text: str | bytes, folder: Path = Path()) -> Benchmark:
    """Read a document; DocumentError."""
    top = read_document(text)
    test = top.section("test")
    top.close()
    name = test.text("name", "")
    workers = test.integer("workers", 1, 1, MOST_WORKERS)
    items = test.items("rounds")
    if not items:
        raise DocumentError("test.rounds", "at least one round is needed")
    test.close()
    return Benchmark([_round(section_of(value, at), folder) for at, value in items], workers, name)


def _round(section: Section, folder: Path) -> Round:
    workload = section.section("workload")
    module = workload.text("module", None)
    if module.endswith(".py"):
        module = str((folder / module).resolve())
    arguments = workload.section("arguments")
    values = {key: arguments.raw(key) for key in arguments.keys()}  # noqa: SIM118 - no mapping
    workload.close()
    count = section.integer("txNumber", 0, 1, 100_000_000) or None
    duration = number(section, "txDuration", DEFAULT_DURATION, 0.1, 86_400)
    if count is not None and section.raw("txDuration") is not None:
        raise DocumentError(section.at("txNumber"), "give txNumber or txDuration, not both")
    rate = _rate(section.section("rateControl"), duration)
    if count is not None and isinstance(rate, FixedRate):
        duration = count / rate.tps
    elif count is not None and not isinstance(rate, FixedLoad):
        raise DocumentError(section.at("txNumber"), "this rate controller needs txDuration")
    found = Round(
        name=section.text("label", module),
        workload=module,
        rate=rate,
        arguments=values,
        duration=duration,
        count=count,
        warmup=number(section, "warmUp", DEFAULT_WARM_UP, 0, 3600),
        retries=section.integer("retries", 0, 0, 1000),
    )
    section.close()
    return found


def _rate(section: Section, duration: float) -> RateController:
    kind = section.choice(
        "type", "fixed-load", ["fixed-load", "fixed-rate", "linear-rate", "maximum-rate"]
    )
    opts = section.section("opts")
    rate: RateController
    if kind == "fixed-load":
        rate = FixedLoad(opts.integer("transactionLoad", DEFAULT_CONCURRENCY, 1, 100_000))
    elif kind == "fixed-rate":
        rate = FixedRate(number(opts, "tps", None, 0.001, 1e6))
    elif kind == "linear-rate":
        rate = LinearRate(
            number(opts, "startingTps", None, 0.001, 1e6),
            number(opts, "finishingTps", None, 0.001, 1e6),
            duration,
        )
    else:
        rate = MaximumRate(
            number(opts, "startingTps", DEFAULT_SEARCH.starting_tps, 0.001, 1e6),
            number(opts, "factor", DEFAULT_SEARCH.factor, 1.05, 10),
            number(opts, "seconds", DEFAULT_SEARCH.seconds, 0.1, 3600),
            number(opts, "latencyLimit", DEFAULT_SEARCH.latency_limit_ms, 1, 1e6),
        )
    opts.close()
    section.close()
    return rate


def number(section: Section, key: str, default: float | None, low: float, high: float) -> float:
    """Return a number of low..high; without a default it is required.  DocumentError."""
    value = section.raw(key)
    if value is None and default is not None:
        return default
    if value is None:
        raise DocumentError(section.at(key), "is required")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DocumentError(section.at(key), f"expected a number, found {value!r}")
    if not low <= value <= high:
        raise DocumentError(section.at(key), f"{value:g} is not in {low:g}..{high:g}")
    return float(value)
