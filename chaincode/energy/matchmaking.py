"""Chaincode 3, matchmaking: the price of an hour, and who trades with whom (Table 5).

The price comes from the pricing system off the chain; the ledger checks what it can: with
a surplus of the published orders it must be the compromise price, otherwise it must lie
in [p_s, p_b], and no order is matched beyond its own limit.  The allocation is computed
here, from the orders of the closed hour, never taken from the caller.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.chaincode import Context, Contract, transaction

from .faults import BadTerms, Duplicate, NotFound, PriceOutOfRange, WrongStage
from .neighbours import AUTHENTICATION, ENERGY_UNITS, ask
from .orders import Book, Demand, Supply
from .roles import Role
from .rules.allocation import Allocation, allocate
from .rules.amounts import payments
from .rules.prices import Regime
from .trades import HourMatch, PriceAnnouncement, Share, TradePath

_PRICE = "price"
_MATCH = "match"
_PATH = "path"


class Matchmaking(Contract):
    """The matchmaking transaction center."""

    name = "matchmaking"

    @transaction
    def announce_price(self, ctx: Context, delivery_time: int, price: int) -> PriceAnnouncement:
        """Set the hour's internal price for its standing orders (operator only).

        price: micro-yuan per kWh.  Units may still answer by modifying their orders.
        """
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        book = _book(ctx, delivery_time)
        _check_price(book, delivery_time, price)
        key = ctx.stub.create_composite_key(_PRICE, [str(delivery_time)])
        if ctx.get(key, PriceAnnouncement) is not None:
            raise Duplicate(f"the price of delivery hour {delivery_time}")
        announced = PriceAnnouncement(
            delivery_time, price, book.regime, book.total_supply, book.total_demand
        )
        ctx.put(key, announced)
        return announced

    @transaction
    def match(self, ctx: Context, delivery_time: int) -> HourMatch:
        """Match the orders of a closed hour (operator only); once."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        book = _book(ctx, delivery_time)
        if not book.hour.closed:
            raise WrongStage(delivery_time, "the gate is still open, orders may change")
        key = ctx.stub.create_composite_key(_MATCH, [str(delivery_time)])
        if ctx.get(key, HourMatch) is not None:
            raise Duplicate(f"the match of delivery hour {delivery_time}")
        matched = _match(book, delivery_time, self._price_of(ctx, book, delivery_time))
        ctx.put(key, matched)
        for path in matched.paths:
            pair = [str(delivery_time), str(path.su_id), str(path.bu_id)]
            ctx.put(ctx.stub.create_composite_key(_PATH, pair), path)
        ctx.stub.set_event("HourMatched", str(delivery_time).encode())
        return matched

    @transaction("evaluate")
    def price(self, ctx: Context, delivery_time: int) -> PriceAnnouncement:
        """The hour's announced price."""
        found = self._announced(ctx, delivery_time)
        if found is None:
            raise NotFound(f"price of delivery hour {delivery_time} yet")
        return found

    @transaction("evaluate")
    def hour_match(self, ctx: Context, delivery_time: int) -> HourMatch:
        """The hour's match."""
        key = ctx.stub.create_composite_key(_MATCH, [str(delivery_time)])
        found = ctx.get(key, HourMatch)
        if found is None:
            raise NotFound(f"match of delivery hour {delivery_time} yet")
        return found

    @transaction("evaluate")
    def paths(self, ctx: Context, delivery_time: int) -> list[TradePath]:
        """Every buyer-seller path of the hour, from its own record."""
        stored = ctx.stub.get_state_by_partial_composite_key(_PATH, [str(delivery_time)])
        found = [ctx.decode(key, value, TradePath) for key, value in stored]
        return sorted(found, key=lambda path: (path.su_id, path.bu_id))

    def _announced(self, ctx: Context, delivery_time: int) -> PriceAnnouncement | None:
        key = ctx.stub.create_composite_key(_PRICE, [str(delivery_time)])
        return ctx.get(key, PriceAnnouncement)

    def _price_of(self, ctx: Context, book: Book, delivery_time: int) -> int | None:
        announced = self._announced(ctx, delivery_time)
        if book.regime is Regime.NO_TRADE:
            return None
        if announced is None:
            raise WrongStage(delivery_time, "its price has not been announced")
        return announced.price


def _book(ctx: Context, delivery_time: int) -> Book:
    return ask(ctx, ENERGY_UNITS, "book", Book, str(delivery_time))


def _check_price(book: Book, delivery_time: int, price: int) -> None:
    grid = book.hour.terms.grid
    if book.hour.closed:
        raise WrongStage(delivery_time, "the gate is closed, nobody could answer a price")
    if not grid.admits(price):
        raise PriceOutOfRange(price, grid)
    if book.regime is Regime.NO_TRADE:
        raise WrongStage(delivery_time, "there are not both buyers and sellers to set a price for")
    if book.regime is Regime.SURPLUS and price != grid.compromise:
        reason = f"is {price}, but an hour with surplus trades at {grid.compromise}"
        raise BadTerms("price", reason)


def _match(book: Book, delivery_time: int, price: int | None) -> HourMatch:
    """Eq. (13) among the orders whose limits admit the price."""
    offered = [_offered(order, price) for order in book.supplies]
    wanted = [_wanted(order, price) for order in book.demands]
    inside = allocate(offered, wanted)
    terms = book.hour.terms
    return HourMatch(
        delivery_time=delivery_time,
        price=price,
        grid_sell_price=terms.grid_sell_price,
        grid_buy_price=terms.grid_buy_price,
        sellers=[
            Share(order.su_id, order.su_address, order.energy_sale_information, sold)
            for order, sold in zip(book.supplies, inside.sold, strict=True)
        ],
        buyers=[
            Share(order.bu_id, order.bu_address, order.energy_demand_information, bought)
            for order, bought in zip(book.demands, inside.bought, strict=True)
        ],
        paths=[] if price is None else _paths(book, inside, price),
    )


def _paths(book: Book, inside: Allocation, price: int) -> list[TradePath]:
    amounts = payments([path.energy for path in inside.paths], price)
    return [
        TradePath(
            su_address=book.supplies[path.seller].su_address,
            su_id=book.supplies[path.seller].su_id,
            bu_address=book.demands[path.buyer].bu_address,
            bu_id=book.demands[path.buyer].bu_id,
            transaction_volume=path.energy,
            transaction_price=price,
            amount=amount,
        )
        for path, amount in zip(inside.paths, amounts, strict=True)
    ]


def _offered(order: Supply, price: int | None) -> int:
    trades = price is not None and price >= order.electricity_supply
    return order.energy_sale_information if trades else 0


def _wanted(order: Demand, price: int | None) -> int:
    trades = price is not None and price <= order.price
    return order.energy_demand_information if trades else 0
