"""Tallies: exact percentiles, and sums over workers."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from gridloom.bench.tally import PERCENTILES, Tally, percentile

LATENCIES = st.lists(st.floats(1e-6, 100), min_size=1, max_size=300)


@given(LATENCIES, st.sampled_from(sorted(PERCENTILES.values())))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-9
    assert sum(value < found for value in ordered) < math.ceil(share * len(ordered))


@given(st.lists(LATENCIES, min_size=1, max_size=4))
def test_workers_tallies_add_up_to_that_of_one(parts: list[list[float]]) -> None:
    whole, together = Tally(), Tally()
    for part in parts:
        tally = Tally()
        for value in part:
            for each in (tally, whole):
                each.success(value, value)
                each.failure(value, "MVCC_READ_CONFLICT")
        together.add(Tally.read(json.loads(json.dumps(tally.document()))))
    assert together.latency_ms() == whole.latency_ms()
    assert together.document() == whole.document()


def test_without_a_success_there_is_no_latency() -> None:
    assert set(Tally().latency_ms().values()) == {None}
