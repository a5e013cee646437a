"""Growth: what a transaction costs while heights, keys, sizes, members or clients grow.

Each growth is a series of rounds on one network that grows, or on one network for each value.
Nothing may grow faster than the work: ten times the state, at most 1.2 times the cost.
(Fabric counterpart: none)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from . import plots
from .own_network import OwnNetwork
from .rates import FixedLoad
from .result import BenchmarkResult, RoundResult
from .rounds import Benchmark, Round

GROW = "grow to"
"""What the names of rounds that only grow the network begin with."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rounds on one network; measured rounds are named ``kind @ value``."""

    network: OwnNetwork
    rounds: Sequence[Round]


@dataclass(frozen=True, slots=True)
class Growth:
    """One series; parts: makes it, by the seconds of a measured round and the largest value."""

    title: str
    axis: str
    values: Sequence[int]
    parts: Callable[[Sequence[int], float], list[Part]]
    logarithmic: bool = False


def benchmarks(
    name: str, seconds: float, most: int | None = None
) -> list[tuple[OwnNetwork, Benchmark]]:
    """Return the benchmarks of a growth, one for each network; most: the largest value."""
    growth = GROWTHS[name]
    values = [value for value in growth.values if most is None or value <= most]
    return [(part.network, Benchmark(part.rounds)) for part in growth.parts(values, seconds)]


def series(result: BenchmarkResult) -> dict[str, list[tuple[float, RoundResult]]]:
    """Return the measured rounds by kind, with the value each was measured at."""
    found: dict[str, list[tuple[float, RoundResult]]] = {}
    for each in result.rounds:
        kind, at, value = each.name.rpartition(" @ ")
        if at and not each.marked:
            found.setdefault(kind, []).append((float(value), each))
    return found


def cost_ms(each: RoundResult) -> float:
    """Return the CPU that a transaction takes on all nodes together, in ms."""
    nodes = (cost for name, cost in each.cpu_ms_per_tx.items() if not name.startswith("client"))
    return sum(nodes)


def drawn(name: str, result: BenchmarkResult) -> dict[str, str]:
    """Return the plots of a growth as SVG: throughput, median latency, CPU for each transaction."""
    growth, found = GROWTHS[name], series(result)
    figures: dict[str, tuple[str, Callable[[RoundResult], float]]] = {
        "throughput": ("transactions a second", lambda each: each.tps),
        "latency": ("p50, ms", lambda each: each.latency_ms["p50"] or 0.0),
        "cpu": ("CPU of all nodes for each, ms", cost_ms),
    }
    return {
        figure: plots.curves(
            f"{name}-{figure}",
            {kind: [(x, of(each)) for x, each in points] for kind, points in found.items()},
            growth.axis,
            label,
            logarithmic=growth.logarithmic,
        )
        for figure, (label, of) in figures.items()
    }


def factors(result: BenchmarkResult) -> list[str]:
    """Return for each kind how its cost went from the first value to the last, in words."""
    return [
        f"{kind}: {cost_ms(points[0][1]):.2f} ms at {points[0][0]:,.0f}, "
        f"{cost_ms(points[-1][1]):.2f} ms at {points[-1][0]:,.0f} "
        f"(x {cost_ms(points[-1][1]) / cost_ms(points[0][1]):.2f})"
        for kind, points in series(result).items()
        if len(points) > 1 and cost_ms(points[0][1])
    ]


def _measured(
    kind: str, workload: str, value: int, seconds: float, load: int = 64, **arguments: object
) -> Round:
    return Round(f"{kind} @ {value}", workload, FixedLoad(load), arguments, seconds, warmup=1.0)


def _grow(value: int, workload: str, count: int, load: int, **arguments: object) -> Round:
    rate = FixedLoad(load)
    return Round(f"{GROW} {value}", workload, rate, arguments, 1.0, count=count, warmup=0.0)


def _network(
    batch: int = 500,
    names: Sequence[str] = ("mychannel",),
    endorsement: str = "MAJORITY Endorsement",
    organizations: Sequence[Mapping[str, object]] = ({"name": "Org1"}, {"name": "Org2"}),
) -> OwnNetwork:
    channels = [
        {"name": name, "batch": {"max_message_count": batch}, "endorsement": endorsement}
        for name in names
    ]
    document = {"channels": channels, "organizations": list(organizations)}
    return OwnNetwork(yaml.safe_dump(document))


def _height(values: Sequence[int], seconds: float) -> list[Part]:
    rounds: list[Round] = []
    at = 10
    for value in values:
        # Blocks of one transaction: as many blocks as transactions.
        rounds.append(_grow(value, "submit", max(value - at, 1), 16))
        rounds.append(_measured("evaluate", "evaluate", value, seconds))
        rounds.append(_measured("submit, blocks of 1", "submit", value, seconds, 16))
        at = value
    return [Part(_network(batch=1), rounds)]


def _keys(values: Sequence[int], seconds: float) -> list[Part]:
    rounds: list[Round] = []
    at = 0
    for value in values:
        count = max((value - at) // 1000, 1)
        rounds.append(_grow(value, "fill", count, 4, first=at))
        rounds.append(_measured("read", "touch", value, seconds, keys=value, reads=100))
        rounds.append(_measured("overwrite", "touch", value, seconds, keys=value))
        at = value
    return [Part(_network(), rounds)]


def _block_size(values: Sequence[int], seconds: float) -> list[Part]:
    return [
        Part(_network(batch=value), [_measured("submit", "submit", value, seconds)])
        for value in values
    ]


def _payload(values: Sequence[int], seconds: float) -> list[Part]:
    rounds = [_measured("submit", "submit", value, seconds, 16, bytes=value) for value in values]
    return [Part(_network(), rounds)]


def _organizations(values: Sequence[int], seconds: float) -> list[Part]:
    return [
        Part(
            _network(
                organizations=[{"name": f"Org{number + 1}"} for number in range(value)],
                endorsement="ALL Endorsement",
            ),
            [_measured("submit", "submit", value, seconds)],
        )
        for value in values
    ]


def _peers(values: Sequence[int], seconds: float) -> list[Part]:
    return [
        Part(
            _network(organizations=[{"name": "Org1", "peers": value}]),
            [_measured("submit", "submit", value, seconds)],
        )
        for value in values
    ]


def _channels(values: Sequence[int], seconds: float) -> list[Part]:
    parts = []
    for value in values:
        names = [f"channel{number}" for number in range(value)]
        measured = _measured("submit", "submit", value, seconds, channels=names)
        parts.append(Part(_network(names=names), [measured]))
    return parts


def _clients(values: Sequence[int], seconds: float) -> list[Part]:
    kinds = ("evaluate", "endorse", "submit")
    rounds = [_measured(kind, kind, value, seconds, value) for value in values for kind in kinds]
    return [Part(_network(), rounds)]


GROWTHS: Mapping[str, Growth] = {
    "height": Growth(
        "Over height", "blocks", (100, 1_000, 5_000, 10_000, 20_000), _height, logarithmic=True
    ),
    "keys": Growth(
        "Over keys in the state", "keys", (1_000, 10_000, 100_000, 1_000_000), _keys,
        logarithmic=True,
    ),
    "block-size": Growth(
        "Over block size", "most transactions of a block", (1, 10, 50, 100, 500), _block_size,
        logarithmic=True,
    ),
    "payload": Growth(
        "Over payload size", "bytes of the value", (100, 1_000, 10_000, 100_000), _payload,
        logarithmic=True,
    ),
    "organizations": Growth(
        "Over endorsing organisations", "organisations", (1, 2, 3, 4, 5), _organizations
    ),
    "peers": Growth("Over peers", "peers of one organisation", (1, 2, 4, 8), _peers),
    "channels": Growth("Over channels", "channels", (1, 2, 4, 8), _channels),
    "clients": Growth(
        "Over concurrent clients", "clients", (1, 10, 100, 250, 500, 1_000), _clients,
        logarithmic=True,
    ),
}  # fmt: skip
"""Every growth by name."""
