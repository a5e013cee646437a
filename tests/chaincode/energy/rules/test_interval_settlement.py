"""rules/interval_settlement: accounts that sum to zero whatever the meters show."""

from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.energy.rules.interval_settlement import OPERATOR, settle_interval
from gridloom.chaincode.energy.rules.orders import Trade
from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.chaincode.energy.rules.settlement import GRID

PRICES = GridPrices(sell=80_000, buy=300_000)
PARTIES = ("a", "b", "c", "d")
trades = st.builds(
    lambda pair, energy, earns, spread: Trade(*pair, energy, earns + spread, earns),
    st.permutations(PARTIES).map(lambda order: order[:2]),
    st.integers(1, 5000),
    st.integers(0, 300_000),
    st.integers(0, 100_000),
)


def accounts(trades, metered):
    return {account.party: account for account in settle_interval(trades, metered, PRICES)}


@given(st.lists(trades, max_size=6), st.lists(st.integers(-9999, 9999), min_size=4, max_size=4))
def test_money_and_energy_sum_to_zero_and_meters_are_kept(traded, net):
    metered = dict(zip(PARTIES, net, strict=True))
    settled = accounts(traded, metered)
    assert sum(account.money for account in settled.values()) == 0
    assert sum(account.energy for account in settled.values()) == 0
    assert all(settled[party].energy == metered[party] for party in PARTIES)
    assert settled[OPERATOR].energy == 0
    assert settled[OPERATOR].money >= 0


def test_who_delivers_less_buys_the_shortfall_from_the_grid():
    settled = accounts([Trade("a", "b", 1000, 200_000, 200_000)], {"a": 600, "b": -1000})
    assert settled["a"].money == 200_000 - 400 * 300
    assert settled["b"].money == -200_000
    assert settled[GRID].money == 400 * 300


def test_what_is_left_goes_to_the_grid_at_its_price():
    settled = accounts([Trade("a", "b", 1000, 200_000, 200_000)], {"a": 1500, "b": -1200})
    assert settled["a"].money == 200_000 + 500 * 80
    assert settled["b"].money == -200_000 - 200 * 300


def test_the_spread_is_the_operators():
    settled = accounts([Trade("a", "b", 1000, 300_000, 100_000)], {"a": 1000, "b": -1000})
    assert settled[OPERATOR].money == 200_000
