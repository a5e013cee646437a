"""market/learning: the day, stage by stage, and the study `learning`."""

from dataclasses import replace

import numpy as np
import pytest

from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.chaincode.energy.learning.parties import Bounds, Flow, Game, Side, Society, Terms
from gridloom.chaincode.energy.learning.stages import Stage
from gridloom.market.ants.colony import Colony
from gridloom.market.errors import LedgerDiffers, ScenarioError
from gridloom.market.learning import ledger_day
from gridloom.market.learning.day import trade_day
from gridloom.market.learning.profiles import Plant, synthetic_day
from gridloom.market.learning.targets import PriceSearch
from gridloom.market.learning.vertex import Weights
from gridloom.market.studies import STUDIES
from harness.market_runs import on_memory_ledger, run_of

TERMS = Terms(
    Society("P", Bounds(500_000, 700_000)), Society("U", Bounds(400_000, 600_000)),
    Society("P", Bounds(400_000, 600_000)), 50_000, 300_000, 75_000,
)  # fmt: skip
GAME = Game(1_600_000, 120_000, 10_000)
FEW = Colony(ants=12, iterations=25)


def study(parameters):
    return STUDIES["learning"].run(run_of(parameters, seed=1))


@pytest.fixture(scope="module")
def day():
    data = synthetic_day(Plant(), np.random.default_rng(1))
    search = PriceSearch(TERMS, GAME, colony=FEW)
    return trade_day(data, search, lambda hour: np.random.default_rng([1, hour]))


def test_forecasts_get_better_from_stage_to_stage():
    data = synthetic_day(Plant(), np.random.default_rng(2))

    def miss(stage):
        return sum(abs(h.known[stage].generation - h.actual.generation) for h in data)

    assert miss(Stage.DAY_AHEAD) > miss(Stage.INTRADAY) > miss(Stage.REAL_TIME) == 0
    assert all(sum(h.users[s]) == h.known[s].demand for h in data for s in Stage)


def test_every_hours_money_sums_to_zero_and_orders_keep_to_the_quotes(day):
    for hour in day:
        assert hour.account.company + hour.account.bureau == hour.account.users
        for stage in hour.stages:
            for quote in stage.quotes:
                own = [o for o in stage.orders if o.flow is quote.flow
                       and quote.party in (o.seller, o.buyer)]  # fmt: skip
                assert sum(order.energy for order in own) <= quote.energy
                assert quote.energy > 0


def test_later_stages_trade_only_what_is_still_missing(day):
    for hour in day:
        known = hour.data.known
        most = {
            flow: max(getattr(dispatch(known[s].generation, known[s].load, known[s].demand),
                              flow.value) for s in Stage)
            for flow in Flow
        }  # fmt: skip
        for flow in Flow:
            assert hour.traded(flow) <= most[flow] + 2


def test_prices_lie_in_the_sellers_bidding_space(day):
    for hour in day:
        for stage in hour.stages:
            for flow in Flow:
                price = stage.found.prices.of(flow)
                assert price is None or TERMS.society(flow.seller).bounds.admits(price)
            for quote in stage.quotes:
                end = quote.flow.seller if quote.side is Side.SELL else quote.flow.buyer
                assert TERMS.society(end).bounds.admits(quote.price)


def test_a_weighted_search_comes_to_the_vertex():
    data = synthetic_day(Plant(), np.random.default_rng(1))
    search = PriceSearch(TERMS, GAME, Weights(0.5, 0.3, 0.2), FEW)
    found = search.find(data[7].actual, np.random.default_rng(0))
    assert found.prices.gu == pytest.approx(700_000, abs=2_000)
    assert found.prices.cu == pytest.approx(600_000, abs=2_000)
    assert found.regret is None


SMALL = {"hours": 9, "colony": {"ants": 10, "iterations": 40}, "game": {"regret": 0.05}}


def test_the_study_trades_on_the_ledger_what_it_reports():
    alone = study(SMALL)
    traded = study({**SMALL, "ledger": True})
    assert traded.tables == alone.tables
    assert traded.metrics == alone.metrics
    assert traded.measured["transactions"] > 9 * 3 * 3
    assert "every order and every violation there is the one reported here" in traded.remarks[-1]


def test_a_ledger_that_makes_other_orders_is_noticed(day):
    hour = next(hour for hour in day if hour.orders)
    other = tuple(replace(order, energy=order.energy + 1) for order in hour.stages[0].orders)
    changed = replace(hour, stages=(replace(hour.stages[0], orders=other), *hour.stages[1:]))

    async def work(consortium):
        return await ledger_day.trade_on_ledger(consortium, TERMS, [changed], lambda *_: None)

    with pytest.raises(LedgerDiffers, match="orders of hour"):
        on_memory_ledger(work)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"hours": 25}, r"hours: 25 is not in \[1, 24\]"),
        ({"objective": "none"}, "objective: 'none' is none of elastic, weighted"),
        ({"plant": {"pv": -1}}, r"plant.pv: -1 is not in \[0"),
        ({"plant": {"user_loads": []}}, r"plant.user_loads: \[\] is no list, or an empty one"),
        ({"plant": {"user_loads": [-5]}}, r"plant.user_loads\[0\]: -5 is not in"),
        ({"plant": {"suns": 2}}, "plant.suns: is not known"),
        ({"game": {"elasticity": "x"}}, "game.elasticity: 'x' is not a number"),
        ({"colony": {"ants": 0}}, r"colony.ants: 0 is not in \[1"),
        ({"weight": 3}, "weight: is not known"),
    ],
)
def test_a_bad_parameter_is_named_by_its_path(parameters, says):
    with pytest.raises(ScenarioError, match=says):
        study(parameters)
