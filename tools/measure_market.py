"""Times the markets' numerical methods beside plain numpy or scipy, in the same run.

    python tools/measure_market.py [NAME...]

Each entry of `METHODS` is a method of ours and a plain reference that does the same work on
the same input; both must agree before they are timed.  Printed: milliseconds of a call
(the fastest of several, which other work on the machine disturbs least) and their ratio.
A paper's methods are added in a module of their own beside this one and named in METHODS.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import NamedTuple

import measure_market_evidence
import measure_market_learning
import measure_market_microgrid
import measure_market_rules

_SECONDS = 1.0  # for each side of a comparison


class Method(NamedTuple):
    """ours, plain: calls that do the same work; agree: whether their answers are the same."""

    ours: Callable[[], object]
    plain: Callable[[], object]
    agree: Callable[[object, object], bool]


METHODS: Mapping[str, tuple[Callable[[], object], Callable[[], object], Callable[..., bool]]] = {
    **measure_market_evidence.METHODS,
    **measure_market_microgrid.METHODS,
    **measure_market_rules.METHODS,
    **measure_market_learning.METHODS,
}


def best(call: Callable[[], object]) -> float:
    """Seconds of the fastest call in about a second."""
    fastest, until = float("inf"), perf_counter() + _SECONDS
    while perf_counter() < until:
        started = perf_counter()
        call()
        fastest = min(fastest, perf_counter() - started)
    return fastest


def main(names: list[str]) -> int:
    """Print a line for each method; 1 if one disagrees with its reference."""
    wrong = 0
    print("| Method | ours, ms | plain, ms | ratio |\n|---|---|---|---|")
    for name, entry in METHODS.items():
        if names and not any(part in name for part in names):
            continue
        method = Method(*entry)
        if not method.agree(method.ours(), method.plain()):
            print(f"| {name} | disagrees with its reference | | |")
            wrong = 1
            continue
        ours, plain = best(method.ours), best(method.plain)
        print(f"| {name} | {1000 * ours:.3f} | {1000 * plain:.3f} | {ours / plain:.2f} |")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
