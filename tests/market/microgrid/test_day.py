"""market/microgrid/day: a day traded through the client's interface."""

import numpy as np
import pytest

from gridloom.market.errors import NotCommitted
from gridloom.market.microgrid.day import trade_day
from gridloom.market.microgrid.energy_day import EnergyDay, paper_day
from harness.energy_market import START, members_of

PRICES = {
    7: 0.809908, 8: 0.810335, 9: 0.810291, 10: 0.810271, 11: 0.810341, 12: 0.810290,
    13: 0.81, 14: 0.81, 15: 0.810289, 16: 0.810364, 17: 0.810543, 18: 0.818618,
}  # fmt: skip


def now():
    return START


async def test_the_papers_day_trades_at_the_expected_prices_and_settles_to_zero():
    scenario = paper_day()
    seen = []
    day = await trade_day(
        scenario,
        members_of(scenario),
        now=now,
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    for result in day.hours:
        assert result.match.price == pytest.approx(PRICES[result.hour] * 1e6, abs=1)
        assert result.priced.outcome.price == pytest.approx(result.priced.exact_price, abs=1e-6)
        accounts = result.settlement.accounts
        assert sum(account.energy for account in accounts) == 0
        assert sum(account.amount for account in accounts) == 0
    assert [done for _, done, _ in seen] == list(range(1, seen[-1][2] + 1))
    transactions = {entry.transaction_id for result in day.hours for entry in result.entries}
    assert len(transactions) == sum(len(result.entries) for result in day.hours)
    per_hour = [len(result.entries) for result in day.hours]
    assert max(per_hour) <= 15


async def test_users_change_sides_from_hour_to_hour():
    scenario = EnergyDay(
        hours=(3, 4, 11),
        load=((500, 2_000), (2_000, 500), (1_000, 1_000)),
        generation=((1_000, 1_000), (1_000, 1_000), (0, 0)),
    )
    assert scenario.role_attribute(1) == scenario.role_attribute(2) == "BU,SU"
    day = await trade_day(scenario, members_of(scenario), now=now)
    sellers = [[share.unit_id for share in result.match.sellers] for result in day.hours]
    assert sellers == [[1], [2], []]
    assert day.hours[2].match.price is None


@pytest.mark.parametrize("mode", ["literal_nash", "stackelberg_buyer", "sdr", "welfare"])
async def test_a_day_can_be_traded_under_another_mechanism(mode):
    scenario = paper_day()
    short = EnergyDay(scenario.hours[-1:], scenario.load[-1:], scenario.generation[-1:])
    day = await trade_day(short, members_of(short), now=now, mode=mode)
    expected = {"literal_nash": 0.77, "stackelberg_buyer": 0.786929, "sdr": 0.847985}
    assert day.hours[0].match.price == pytest.approx(expected.get(mode, 0.85) * 1e6, abs=1)


async def test_random_days_of_any_size_settle():
    rng = np.random.default_rng(3)
    for users in (1, 2, 7):
        energy = rng.integers(0, 5_000, (2, 3, users)).tolist()
        load, generation = (tuple(map(tuple, rows)) for rows in energy)
        scenario = EnergyDay((0, 1, 23), load, generation)
        day = await trade_day(scenario, members_of(scenario), now=now)
        for result in day.hours:
            assert sum(account.amount for account in result.settlement.accounts) == 0


async def test_a_transaction_that_was_found_invalid_stops_the_day():
    scenario = paper_day()
    with pytest.raises(NotCommitted, match="matchmaking:match: transaction"):
        await trade_day(scenario, members_of(scenario, frozenset({"match"})), now=now)
