"""market/distribution: the balance and the delay study."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.market.distribution.balance import random_acts, random_network, simulate
from gridloom.market.distribution.delay import Delays, Plan, measure
from gridloom.market.errors import ScenarioError
from gridloom.market.studies import STUDIES
from harness.market_runs import on_memory_ledger, run_of


def study(name, parameters):
    return STUDIES[name].run(run_of(parameters, seed=1))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 9), st.integers(1, 25), st.integers(0, 2**32 - 1), st.sampled_from(Scheme))
def test_energy_is_conserved_over_any_course_and_stores_keep_their_limits(
    nodes, periods, seed, scheme
):
    rng = np.random.default_rng(seed)
    network = random_network(nodes, rng)
    course = simulate(network, random_acts(network, periods, rng), scheme)
    used = sum(sum(d.inside) for d in course.decisions)
    delivered = sum(leg.energy for d in course.decisions for leg in d.deliveries)
    left = sum(course.decisions[-1].stores)
    assert sum(network.stores) + sum(course.generated) == left + used + delivered
    for decision in course.decisions:
        pairs = zip(decision.stores, network.limits, strict=True)
        assert all(0 <= store <= limit for store, limit in pairs)
    own = course.statements(nodes)
    assert sum(s.delivered for s in own) == sum(s.received for s in own) == delivered


def test_both_schemes_see_the_same_draws_and_requests_are_as_the_paper_says():
    rng = np.random.default_rng(1)
    network = random_network(8, rng)
    acts = random_acts(network, 200, rng)
    asked = [act.requested for period in acts for act in period if act.requested is not None]
    assert min(asked) > 0
    assert max(asked) <= 200_000
    assert 0.4 < len(asked) / 1_600 < 0.6
    first = [simulate(network, acts, scheme).decisions[0].order for scheme in Scheme]
    assert first[0] == first[1]


def test_the_balance_study_is_decided_alike_on_the_ledger():
    alone = study("distribution_balance", {"nodes": 4, "periods": 4})
    traded = study("distribution_balance", {"nodes": 4, "periods": 4, "ledger": True})
    assert traded.tables == alone.tables
    assert "every cost-aware delivery there is the one reported here" in traded.remarks[-1]
    shares = [row[columns] for row in alone.tables[0].rows for columns in (8, 13)]
    assert sum(share for share in shares if share is not None) == pytest.approx(200)


def test_delays_are_measured_from_each_sending_to_the_decision():
    ticks = itertools.count()

    async def work(consortium):
        def tick():
            return float(next(ticks))

        plan = Plan(("requests", "purchase"), (2, 5), 2, clock=tick, cpu_clock=tick)

        def rng(period):
            return np.random.default_rng(period)

        return await measure(consortium, plan, rng, lambda *_: None)

    delays = on_memory_ledger(work)
    assert [(d.way, d.participants, len(d.seconds)) for d in delays] == [
        ("requests", 2, 4), ("requests", 5, 10), ("purchase", 2, 4), ("purchase", 5, 10),
    ]  # fmt: skip
    assert all(second > 0 for own in delays for second in own.seconds)


def test_percentiles_are_those_of_all_trades():
    delays = Delays("requests", 4, 1, (0.1, 0.2, 0.3, 0.4), 0.0)
    assert delays.percentile(50) == pytest.approx(0.25)
    assert delays.percentile(100) == 0.4


def test_the_delay_study_keeps_what_was_measured_apart():
    result = study("distribution_delay", {"participants": [2, 3], "rounds": 1})
    assert result.metrics[0].value == 10
    assert set(result.measured["purchase_3"]) == {"p50", "p95", "cpu"}
    assert not result.tables
    assert [row[1] for row in result.measured_tables[0].rows] == [2, 3, 2, 3]


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("distribution_balance", {"nodes": 1}, r"nodes: 1 is not in \[2"),
        ("distribution_balance", {"period": 1}, "period: is not known"),
        ("distribution_delay", {"participants": [1]}, r"participants\[0\]: 1 is not in \[2"),
        ("distribution_delay", {"ways": ["post"]}, r"ways\[0\]: 'post' is none of"),
        ("distribution_delay", {"rounds": 0}, r"rounds: 0 is not in \[1"),
    ],
)
def test_a_bad_parameter_is_named_by_its_path(name, parameters, says):
    with pytest.raises(ScenarioError, match=says):
        study(name, parameters)
