"""market/dipi: the study of the three chains, on ledgers in memory."""

import pytest

from gridloom.chaincode.energy.dipi.sequence_number import Colouring, colouring_of
from gridloom.market.errors import ScenarioError
from gridloom.market.studies import STUDIES
from harness.market_runs import run_of


def table(result, name):
    return next(each for each in result.tables if each.name == name)


def test_credits_and_money_of_some_periods():
    result = STUDIES["dipi"].run(run_of({"periods": 3, "reliability": 0.7}))
    metrics = {metric.name: metric.value for metric in result.metrics}
    assert metrics["contracts"] > 0
    assert metrics["unbalanced"] == 0
    for row in table(result, "trades").rows:
        assert row[8] == pytest.approx(row[9] + row[10])
    coins = table(result, "coins").rows
    first = {unit: sequence for _, unit, sequence, *_ in reversed(coins)}
    for period, unit, sequence, value, credit in coins:
        made = sequence == first[unit]
        colouring = Colouring.GENESIS if made else Colouring.TRANSFER
        assert colouring_of(int(sequence, 16)) is colouring, (period, unit)
        assert value == 1024 + round(credit * 10**6)
        assert 0 <= credit <= 100


def test_sellers_who_depend_on_weather_lose_credit_and_the_factor_softens_it():
    def lowest(alpha):
        parameters = {"periods": 3, "reliability": 0.5, "alpha": alpha}
        rows = table(STUDIES["dipi"].run(run_of(parameters)), "coins").rows
        return min(credit for _, unit, *_, credit in rows if unit == "SU1")

    assert lowest(0) < lowest(0.29) < 100


def test_the_same_seed_gives_the_same_report():
    parameters = {"periods": 2}
    one, again = (STUDIES["dipi"].run(run_of(parameters, seed=4)) for _ in range(2))
    assert one == again


def test_a_bad_parameter_is_named():
    with pytest.raises(ScenarioError, match="alpha"):
        STUDIES["dipi"].run(run_of({"alpha": 0.3}))
