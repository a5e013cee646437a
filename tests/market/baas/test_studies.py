"""market/baas: the studies of paper 000, on a ledger in memory and off it."""

import numpy as np
import pytest

from gridloom.market.baas.judgements import judge
from gridloom.market.errors import ScenarioError
from gridloom.market.studies import STUDIES
from harness.market_runs import run_of


def metrics(result):
    return {metric.name: metric.value for metric in result.metrics}


def test_a_day_of_decisions_ends_settled_refused_or_undecided():
    result = STUDIES["baas"].run(run_of({"periods": 8, "record": 10, "line_limit": 200_000}))
    found = metrics(result)
    rows = result.tables[0].rows
    assert found["periods"] == len(rows) == 8
    assert found["settled"] + found["refused"] + found["undecided"] == 8
    assert found["refused"] > 0
    for row in rows:
        if row[5] == "refused":
            assert row[6]  # the violation is named
            assert row[7] is None
        elif row[5] == "settled":
            assert row[7] <= row[2]


def test_without_a_record_nobody_is_chosen():
    found = metrics(STUDIES["baas"].run(run_of({"periods": 2, "record": 0})))
    assert found["undecided"] == 2


def test_the_same_seed_trades_the_same_day_and_another_seed_another():
    def rows(seed):
        parameters = {"periods": 3, "record": 3}
        return STUDIES["baas"].run(run_of(parameters, seed=seed)).tables[0].rows

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_table_1_and_the_penalty_are_as_printed():
    result = STUDIES["paper-000"].run(run_of({"decisions": 3, "observations": 5}))
    assert metrics(result)["penalty"] == 0.375
    hours = [row[2] for row in result.tables[0].rows]
    assert hours == pytest.approx([864, 86.4, 8.64, 0.864])  # of 360 days
    assert {plot.name for plot in result.plots} == {"figure6", "voltages"}


def test_units_that_are_steadier_are_judged_more_clearly():
    def best(deviation):
        rng = np.random.default_rng(1)
        return np.mean([judge(deviation, 20, rng).best for _ in range(40)])

    assert best(0.0) > best(0.3)


@pytest.mark.parametrize(
    ("study", "parameters", "says"),
    [
        ("baas", {"periods": 0}, "periods"),
        ("baas", {"eps1": 2}, "eps1"),
        ("baas", {"feeder": 1}, "feeder"),
        ("paper-000", {"decisions": "x"}, "decisions"),
    ],
)
def test_a_bad_parameter_is_named(study, parameters, says):
    with pytest.raises(ScenarioError, match=says):
        STUDIES[study].run(run_of(parameters))
