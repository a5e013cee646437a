"""market/distribution: the day of six suppliers and five users, and the study of it."""

from dataclasses import replace

import numpy as np
import pytest

from gridloom.chaincode.energy.distribution.purchases import standard, within_cap
from gridloom.market.distribution.day import CAP, SLACK, trade_day, trade_on_ledger
from gridloom.market.distribution.profiles import Setting, synthetic_day
from gridloom.market.distribution.purchase import buy, choose, delivered_cost, pro_rata
from gridloom.market.errors import LedgerDiffers, ScenarioError
from gridloom.market.pareto.mopso import Flight
from gridloom.market.studies import STUDIES
from harness.market_runs import on_memory_ledger, run_of

QUICK = Flight(particles=40, iterations=15)


def study(parameters):
    return STUDIES["distribution"].run(run_of(parameters, seed=1))


@pytest.fixture(scope="module")
def day():
    data = synthetic_day(Setting(), np.random.default_rng(3))
    return trade_day(data, lambda hour: np.random.default_rng([3, hour]), flight=QUICK)


def test_the_day_is_the_papers_six_suppliers_and_five_users(day):
    assert len(day) == 24
    for hour in day:
        kinds = [offer.supplier[:2] for offer in hour.data.offers]
        assert (kinds.count("gr"), kinds.count("pv"), kinds.count("wi")) == (1, 2, 3)
        assert len(hour.data.demands) == 5
        assert hour.data.offers[0].capacity == 250_000_000
    night, noon = day[2].data.offers, day[12].data.offers
    assert sum(o.capacity for o in night[1:3]) == 0 < sum(o.capacity for o in noon[1:3])


def test_every_purchase_covers_what_is_due_under_the_cap_near_the_merit_order(day):
    for hour in day:
        offers, energies = hour.data.offers, hour.bought.energies
        exact = standard(offers, CAP)
        assert sum(energies) == min(hour.data.demand, exact.most)
        assert within_cap(offers, energies, CAP)
        cost = sum(o.delivered * e for o, e in zip(offers, energies, strict=True))
        assert exact.allows(cost, sum(energies), SLACK)
        assert all(0 <= e <= o.capacity for o, e in zip(offers, energies, strict=True))
        alike = pro_rata(offers, sum(energies))
        assert delivered_cost(offers, energies) <= delivered_cost(offers, alike) + 1e-6


def test_prices_fall_as_new_energy_rises(day):
    supply = [sum(o.capacity for o in hour.data.offers) / hour.data.demand for hour in day]
    price = [next(o.price for o in h.data.offers if o.supplier == "wind1") for h in day]
    order = np.argsort(supply)
    assert list(np.asarray(price)[order]) == sorted(price, reverse=True)


def test_a_choice_from_an_empty_market_is_nothing(day):
    bought = buy(0, [], [], CAP, np.random.default_rng(0), flight=QUICK)
    assert bought.energies == ()
    assert bought.purchase.quantity == 0
    hour = day[0]
    assert sum(choose(hour.bought.archive, hour.data.offers, 0)) == 0


SMALL = {"hours": 4, "swarm": {"particles": 40, "iterations": 15}}


def test_the_study_buys_on_the_ledger_what_it_reports():
    alone = study(SMALL)
    traded = study({**SMALL, "ledger": True})
    assert traded.tables == alone.tables
    assert traded.measured["transactions"] == 1 + 11 + 4 * (3 + 11)
    assert "every bill there is the one reported here" in traded.remarks[-1]
    values = {metric.name: metric.value for metric in alone.metrics}
    assert values["archive_covered"] >= 0.98
    assert values["archive_gap"] <= 1e-3
    assert values["smallest_archive"] >= 100


def test_a_ledger_that_bills_otherwise_is_noticed(day):
    wrong = replace(day[0].bought.purchase, cost=day[0].bought.purchase.cost + 1)
    changed = replace(day[0], bought=replace(day[0].bought, purchase=wrong))

    async def work(consortium):
        return await trade_on_ledger(consortium, [changed], CAP, lambda *_: None)

    with pytest.raises(LedgerDiffers, match="purchase of hour 0"):
        on_memory_ledger(work)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"hours": 0}, r"hours: 0 is not in \[1, 24\]"),
        ({"cap": -1}, "cap: -1 is not in"),
        ({"users": [1, -2]}, r"users\[1\]: -2 is not in"),
        ({"users": []}, r"users: \[\] is no list, or an empty one"),
        ({"suppliers": [{"name": "sun"}]}, r"suppliers\[0\].name: 'sun' does not begin with"),
        ({"suppliers": [3]}, r"suppliers\[0\]: 3 is no mapping"),
        ({"suppliers": [{"name": "pv1"}, {"name": "pv1"}]}, r"suppliers\[1\].name: 'pv1' is the"),
        ({"suppliers": [{"name": "pv1", "power": -1}]}, r"suppliers\[0\].power: -1 is not in"),
        ({"swarm": {"archive": 1}}, r"swarm.archive: 1 is not in \[2"),
        ({"hour": 3}, "hour: is not known"),
    ],
)
def test_a_bad_parameter_is_named_by_its_path(parameters, says):
    with pytest.raises(ScenarioError, match=says):
        study(parameters)


def test_own_suppliers_and_users_may_be_named():
    grid = {"name": "grid", "power": 9, "price": 0.4}
    result = study({**SMALL, "hours": 2, "suppliers": [grid], "users": [5]})
    sold = [row for row in result.tables[1].rows if row[0] == 0]
    assert [row[1] for row in sold] == ["grid"]
