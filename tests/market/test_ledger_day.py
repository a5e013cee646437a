"""market/ledger_day: what comes back from a ledger is held against what is computed here."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.market.errors import LedgerDiffers
from gridloom.market.households import Street, generate
from gridloom.market.ledger_day import trade_on_ledger
from gridloom.market.mechanisms import MECHANISMS
from gridloom.market.together import in_turn
from gridloom.market.trading import trade_day
from harness.market_runs import MemoryConsortium

LOT = "lot"


def day_of(mechanism="mid_market"):
    rng = np.random.default_rng(0)
    community = generate(Street(households=4, minutes=60, pv=1, heat_pump=1), rng)
    entry = MECHANISMS[mechanism]
    return trade_day(
        community,
        mechanism,
        entry.make({}, community),
        strategy=entry.bidding,
        expected=community.net,
        rng=np.random.default_rng,
        lot=LOT,
    )


def trade(day, lot=LOT):
    consortium = MemoryConsortium()
    traded = asyncio.run(
        trade_on_ledger(consortium, day, lot, progress=lambda *step: None, clock=lambda: 0.0)
    )
    return consortium, traded


def test_every_household_orders_once_and_every_interval_is_settled():
    day = day_of()
    _, traded = trade(day)
    functions = [entry.function for entry in traded.entries]
    assert functions.count("join") == 4
    assert functions.count("place") == 4
    for step in ("clear", "meter", "settle"):
        assert functions.count(step) == 24
    assert set(traded.seconds) == {"deploying", "joining", "ordering", "settling"}


def test_trades_that_differ_from_the_ledgers_are_an_error():
    day = day_of()
    place = next(i for i, one in enumerate(day.intervals) if one.cleared.trades)
    wrong = day.intervals[place]
    cleared = wrong.cleared._replace(trades=wrong.cleared.trades[:-1])
    intervals = [*day.intervals]
    intervals[place] = replace(wrong, cleared=cleared)
    with pytest.raises(LedgerDiffers, match=f"trades of interval {place}"):
        trade(replace(day, intervals=tuple(intervals)))


def test_accounts_that_differ_from_the_ledgers_are_an_error():
    day = day_of()
    first = day.intervals[0]
    settled = first.settled._replace(grid=first.settled.grid + 1)
    intervals = (replace(first, settled=settled), *day.intervals[1:])
    with pytest.raises(LedgerDiffers, match="accounts of interval 0"):
        trade(replace(day, intervals=intervals))


async def test_what_a_failure_kept_from_beginning_is_closed():
    begun = []

    async def work(number):
        begun.append(number)
        if number == 1:
            raise ValueError("the second one")

    with pytest.raises(ValueError, match="the second one"):
        await in_turn((work(number) for number in range(9)), at_once=1)
    assert begun[:2] == [0, 1]


def test_a_mechanism_the_chaincode_does_not_know_is_refused_by_it():
    with pytest.raises(ChaincodeError, match="rule: 'microgrid' is none of"):
        trade(day_of("microgrid"))
