"""chaincode/energy/learning: the ledger's judgement of equilibria, and matching."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.chaincode.energy.learning.credit import Reading, judge, report
from gridloom.chaincode.energy.learning.game import Duel
from gridloom.chaincode.energy.learning.matching import Yardstick, match
from gridloom.chaincode.energy.learning.parties import Bounds, Flow, Game, Side
from gridloom.chaincode.energy.learning.stages import Quote, Stage
from gridloom.market.learning.elastic import ElasticGame

COMPANY, BUREAU = Bounds(500_000, 700_000), Bounds(400_000, 600_000)


@st.composite
def duels(draw, most=3_000_000):
    game = Game(draw(st.integers(0, most)), draw(st.integers(0, 500_000)), 0)
    demand, supply = draw(st.integers(1, 10**6)), draw(st.integers(0, 2 * 10**6))
    feed_in = draw(st.integers(0, 600_000))
    return Duel(game, demand, supply, feed_in, draw(st.integers(0, 300_000)), COMPANY, BUREAU)


@settings(max_examples=40, deadline=None)
@given(duels(), st.integers(500_000, 700_000), st.integers(400_000, 600_000), st.data())
def test_regret_is_what_the_best_of_all_answers_would_gain(duel, company, bureau, data):
    regret = duel.regret(company, bureau)
    assert regret >= 0
    now = duel.company_profit(company, bureau) + duel.bureau_profit(company, bureau)
    own = data.draw(st.integers(COMPANY.low, COMPANY.high))
    other = data.draw(st.integers(BUREAU.low, BUREAU.high))
    tried = duel.company_profit(own, bureau) + duel.bureau_profit(company, other)
    assert regret >= tried - now


@settings(max_examples=40, deadline=None)
@given(duels(most=1_600_000))
def test_the_models_equilibrium_in_whole_micro_yuan_leaves_nothing_to_gain(duel):
    model = ElasticGame(
        duel.game.elasticity / 1e6, duel.demand / 1e3, duel.supply / 1e3, duel.feed_in / 1e6,
        duel.game.cost / 1e6, duel.subsidy / 1e6, (0.5, 0.7), (0.4, 0.6),
    )  # fmt: skip
    assert duel.well_posed == model.well_posed
    if duel.well_posed:
        found = model.equilibrium()
        prices = round(found.company_price * 1e6), round(found.bureau_price * 1e6)
        assert duel.regret(*prices) < 1


NAMES = ("a", "b", "c", "d")
BIDS = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 9)), max_size=4)


def quotes(own, side):
    return [
        Quote(f"{side.value} {name}", 7, Stage.DAY_AHEAD, Flow.GU, side, energy, price, 0)
        for name, (energy, price) in zip(NAMES, own, strict=False)
    ]


@settings(deadline=None)
@given(BIDS, BIDS, st.integers(0, 9), st.randoms())
def test_orders_keep_to_offers_and_bids_whatever_their_order(sells, buys, target, random):
    offers, bids = quotes(sells, Side.SELL), quotes(buys, Side.BUY)
    orders = match(offers, bids, target, Yardstick(3, 30), 0)
    for quote in (*offers, *bids):
        own = [order for order in orders if quote.party in (order.seller, order.buyer)]
        assert sum(order.energy for order in own) <= quote.energy
        at_limit = [o.price <= quote.price if quote.side is Side.BUY else o.price >= quote.price
                    for o in own]  # fmt: skip
        assert all(at_limit)
    assert all(order.energy > 0 for order in orders)
    random.shuffle(offers)
    random.shuffle(bids)
    assert match(offers, bids, target, Yardstick(3, 30), 0) == orders


@settings(deadline=None)
@given(BIDS, BIDS, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=8,
                            max_size=8))  # fmt: skip
def test_exactly_those_who_missed_their_orders_are_reported(sells, buys, metered):
    orders = match(quotes(sells, Side.SELL), quotes(buys, Side.BUY), 5, Yardstick(3, 30), 0)
    names = sorted({order.seller for order in orders} | {order.buyer for order in orders})
    readings = {n: Reading(n, *own) for n, own in zip(names, metered, strict=False)}
    execution = judge(7, orders, readings)
    for name in names:
        sold = sum(order.energy for order in orders if order.seller == name)
        bought = sum(order.energy for order in orders if order.buyer == name)
        own = readings[name]
        kept = own.delivered >= sold and own.taken <= bought
        assert (name in execution.kept) == kept
        said = report(name, [execution])
        assert (said.hours, said.kept) == (1, int(kept))
        missed = max(sold - own.delivered, 0) + max(own.taken - bought, 0)
        assert said.energy == missed
