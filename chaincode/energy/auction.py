"""The auction: orders behind a gate, cleared by a stated rule, settled by the meters.

One chaincode for all of rules/auctions.  A session's rule is fixed before anybody orders;
who may order, the gate, the clearing and the settlement are the ledger's: it computes
trades and accounts from what households and meters wrote, and takes none from a caller.
Rights of operator and grid are those of chaincode authentication.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from cryptography.x509.oid import NameOID

from gridloom.chaincode import Context, Contract, transaction

from .auction_grid import SessionGrid, ShownPoint
from .auction_records import (
    AccountRecord,
    Clearing,
    Household,
    IntervalAccounts,
    MeterReading,
    OrderTerms,
    PlacedOrder,
    Readings,
    RefusedTrade,
    Session,
    SessionTerms,
    TradeRecord,
)
from .faults import BadTerms, Duplicate, NotApproved, NotFound, NotOwner, SessionClosed, TooEarly
from .neighbours import AUTHENTICATION, ask
from .roles import Role, carries
from .rules.auctions import RULES
from .rules.grid_admission import admit
from .rules.interval_settlement import settle_interval
from .rules.lottery import arrange, commitment_of
from .rules.orders import Order, Side
from .rules.settlement import GRID

_HOUSEHOLD = "household"
_SESSION = "session"
_GRID = "grid"
_ORDER = "order"
_CLEARING = "clearing"
_READINGS = "readings"
_ACCOUNTS = "accounts"
_RESERVED = (GRID, Role.OPERATOR.value)
_PLACES = 6  # digits of an interval in a key, so that keys sort by it
_LARGEST = 10**12


class Auction(Contract):
    """Double auctions and pools on the ledger."""

    name = "auction"

    @transaction
    def join(self, ctx: Context) -> Household:
        """Become a household of the market, under the name one is enrolled with."""
        name = _name(ctx)
        if name in _RESERVED:
            raise BadTerms("name", f"{name!r} is the name of an account of the market itself")
        _authorise(ctx, Role.BU if carries(ctx, Role.BU) else Role.SU)
        key = ctx.stub.create_composite_key(_HOUSEHOLD, [name])
        if ctx.get(key, Household) is not None:
            raise Duplicate(f"household {name}")
        who = ctx.client_identity
        household = Household(name, who.msp_id, who.id)
        ctx.put(key, household)
        return household

    @transaction
    def suspend(self, ctx: Context, name: str, suspended: bool) -> Household:
        """Forbid a household to order, or allow it again (operator only)."""
        _authorise(ctx, Role.OPERATOR)
        changed = replace(_household(ctx, name), suspended=suspended)
        ctx.put(ctx.stub.create_composite_key(_HOUSEHOLD, [name]), changed)
        return changed

    @transaction
    def open(self, ctx: Context, terms: SessionTerms) -> Session:
        """Open a session for orders (operator only); its rule and prices are final."""
        _authorise(ctx, Role.OPERATOR)
        _check_terms(ctx, terms)
        key = ctx.stub.create_composite_key(_SESSION, [terms.session])
        if ctx.get(key, Session) is not None:
            raise Duplicate(f"session {terms.session}")
        session = Session(terms)
        ctx.put(key, session)
        return session

    @transaction
    def place(self, ctx: Context, session: str, orders: list[OrderTerms]) -> int:
        """Order for intervals of an open session (a household for itself); how many.

        One order for an interval; a later one replaces it.
        """
        terms = _open_session(ctx, session).terms
        household = _own_household(ctx)
        _check_orders(terms, orders)
        for side in sorted({order.side for order in orders}):
            _authorise(ctx, Role.BU if side is Side.BUY else Role.SU)
        for order in orders:
            placed = PlacedOrder(household.name, order.side, order.energy, order.price)
            ctx.put(_order_key(ctx, session, order.interval, household.name), placed)
        return len(orders)

    @transaction
    def withdraw(self, ctx: Context, session: str, intervals: list[int]) -> None:
        """Take own orders back while the session is open."""
        _open_session(ctx, session)
        household = _own_household(ctx)
        for interval in intervals:
            key = _order_key(ctx, session, interval, household.name)
            if not ctx.stub.get_state(key):
                raise NotFound(f"order of {household.name} for interval {interval}")
            ctx.stub.delete_state(key)

    @transaction
    def close(self, ctx: Context, session: str, lot: str) -> Session:
        """Shut the gate for good and reveal the lot (operator only)."""
        _authorise(ctx, Role.OPERATOR)
        found = _session(ctx, session)
        if found.lot:
            raise SessionClosed(session, "the operator has closed it")
        if not lot or commitment_of(lot) != found.terms.commitment:
            raise BadTerms("lot", "is not the one the session was opened with")
        closed = replace(found, lot=lot)
        ctx.put(ctx.stub.create_composite_key(_SESSION, [session]), closed)
        return closed

    @transaction
    def connect(self, ctx: Context, grid: SessionGrid) -> None:
        """Put an open session on a feeder (operator only), once: from then on no trade is
        made that the feeder cannot carry."""
        _authorise(ctx, Role.OPERATOR)
        _open_session(ctx, grid.session)
        grid.check()
        key = ctx.stub.create_composite_key(_GRID, [grid.session])
        if ctx.stub.get_state(key):
            raise Duplicate(f"the grid of session {grid.session}")
        ctx.put(key, grid)

    @transaction
    def clear(self, ctx: Context, session: str, interval: int) -> Clearing:
        """Clear an interval's orders by the session's rule (operator only); once."""
        if _grid(ctx, session) is not None:
            raise BadTerms("clear", f"session {session} is on a feeder: clear_on_grid")
        key, _, cleared = _cleared(ctx, session, interval)
        return _record(ctx, key, cleared)

    @transaction
    def clear_on_grid(
        self, ctx: Context, session: str, interval: int, shown: list[ShownPoint]
    ) -> Clearing:
        """Clear an interval and refuse the trades that the session's feeder cannot carry.

        shown: the operating points with all trades, if that is insecure with all but the last,
        and so on to the first that is secure.  Each is verified; without one, nothing is secure.
        """
        grid = _grid(ctx, session)
        if grid is None:
            raise NotFound(f"grid of session {session}")
        key, orders, cleared = _cleared(ctx, session, interval)
        points = {each.trades: each.point for each in shown}
        trades = [trade.as_trade() for trade in cleared.trades]
        admitted = admit(
            trades,
            lambda count: grid.violations(grid.powers(orders, trades[:count]), points.get(count)),
        )
        return _record(
            ctx,
            key,
            replace(
                cleared,
                price=cleared.price if admitted.trades else None,
                trades=cleared.trades[: len(admitted.trades)],
                refused=[
                    RefusedTrade(TradeRecord(*each.trade), list(each.violations))
                    for each in admitted.refused
                ],
            ),
        )

    @transaction
    def meter(
        self, ctx: Context, session: str, interval: int, readings: list[MeterReading]
    ) -> None:
        """Write an interval's meters (grid only); once, one reading for each trader."""
        _authorise(ctx, Role.GRID)
        clearing = _clearing(ctx, session, interval)
        key = ctx.stub.create_composite_key(_READINGS, [session, _digits(interval)])
        if ctx.stub.get_state(key):
            raise Duplicate(f"the readings of {session}, interval {interval}")
        seen: set[str] = set()
        for reading in readings:
            if reading.party in seen:
                raise Duplicate(f"the reading of {reading.party}")
            if abs(reading.energy) > _LARGEST or reading.party in _RESERVED:
                raise BadTerms("readings", f"{reading.party}: {reading.energy} Wh cannot be meant")
            seen.add(reading.party)
        traders = {name for trade in clearing.trades for name in (trade.seller, trade.buyer)}
        missing = sorted(traders - seen)
        if missing:
            raise BadTerms("readings", f"no reading of {', '.join(missing)}")
        ctx.put(key, Readings(session, interval, readings))

    @transaction
    def settle(self, ctx: Context, session: str, interval: int) -> IntervalAccounts:
        """Close an interval's accounts (operator only); once, after its meters."""
        _authorise(ctx, Role.OPERATOR)
        terms = _session(ctx, session).terms
        clearing = _clearing(ctx, session, interval)
        key = ctx.stub.create_composite_key(_ACCOUNTS, [session, _digits(interval)])
        if ctx.stub.get_state(key):
            raise Duplicate(f"the accounts of {session}, interval {interval}")
        readings_key = ctx.stub.create_composite_key(_READINGS, [session, _digits(interval)])
        metered = ctx.get(readings_key, Readings)
        if metered is None:
            raise TooEarly(f"settling {session}, interval {interval}", "its meters are not read")
        accounts = settle_interval(
            (trade.as_trade() for trade in clearing.trades),
            {reading.party: reading.energy for reading in metered.readings},
            terms.grid(interval),
        )
        settled = IntervalAccounts(session, interval, [AccountRecord(*each) for each in accounts])
        ctx.put(key, settled)
        return settled

    @transaction("evaluate")
    def clearing(self, ctx: Context, session: str, interval: int) -> Clearing:
        """A cleared interval."""
        return _clearing(ctx, session, interval)

    @transaction("evaluate")
    def session(self, ctx: Context, session: str) -> Session:
        """A session."""
        return _session(ctx, session)

    @transaction("evaluate")
    def accounts(self, ctx: Context, session: str, interval: int) -> IntervalAccounts:
        """A settled interval."""
        key = ctx.stub.create_composite_key(_ACCOUNTS, [session, _digits(interval)])
        found = ctx.get(key, IntervalAccounts)
        if found is None:
            raise NotFound(f"settlement of {session}, interval {interval} yet")
        return found

    @transaction("evaluate")
    def statement(self, ctx: Context, session: str, party: str) -> AccountRecord:
        """A party's account over a session's settled intervals."""
        stored = ctx.stub.get_state_by_partial_composite_key(_ACCOUNTS, [session])
        own = [
            account
            for key, value in stored
            for account in ctx.decode(key, value, IntervalAccounts).accounts
            if account.party == party
        ]
        return AccountRecord(party, sum(a.energy for a in own), sum(a.money for a in own))


def _authorise(ctx: Context, role: Role) -> None:
    ask(ctx, AUTHENTICATION, "authorise", type(None), role.value)


def _name(ctx: Context) -> str:
    """Whom the CA enrolled: its attribute says so, else the certificate's common name."""
    enrolled = ctx.client_identity.attribute("hf.EnrollmentID")
    if enrolled:
        return enrolled
    names = ctx.client_identity.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not names or not names[0].value:
        raise BadTerms("certificate", "carries no common name to trade under")
    return str(names[0].value)


def _household(ctx: Context, name: str) -> Household:
    found = ctx.get(ctx.stub.create_composite_key(_HOUSEHOLD, [name]), Household)
    if found is None:
        raise NotFound(f"household {name}")
    return found


def _own_household(ctx: Context) -> Household:
    household = _household(ctx, _name(ctx))
    if (household.owner_msp, household.owner_id) != (
        ctx.client_identity.msp_id,
        ctx.client_identity.id,
    ):
        raise NotOwner(household.name)
    if household.suspended:
        raise NotApproved(household.name)
    return household


def _session(ctx: Context, session: str) -> Session:
    found = ctx.get(ctx.stub.create_composite_key(_SESSION, [session]), Session)
    if found is None:
        raise NotFound(f"session {session}")
    return found


def _open_session(ctx: Context, session: str) -> Session:
    found = _session(ctx, session)
    if found.lot:
        raise SessionClosed(session, "the operator has closed it")
    if int(ctx.stub.get_tx_timestamp().timestamp()) >= found.terms.gate_closes_at:
        raise SessionClosed(session, f"since Unix time {found.terms.gate_closes_at}")
    return found


def _cleared(ctx: Context, session: str, interval: int) -> tuple[str, list[Order], Clearing]:
    """Where the clearing goes, the interval's orders, and what the rule makes of them."""
    _authorise(ctx, Role.OPERATOR)
    found = _session(ctx, session)
    if not found.lot:
        raise TooEarly(f"clearing {session}", "the gate is still open, orders may change")
    key = _interval_key(ctx, _CLEARING, found, interval)
    if ctx.stub.get_state(key):
        raise Duplicate(f"the clearing of {session}, interval {interval}")
    span = [session, _digits(interval)]
    orders = [
        ctx.decode(name, value, PlacedOrder).as_order()
        for name, value in ctx.stub.get_state_by_partial_composite_key(_ORDER, span)
    ]
    rule = RULES[found.terms.rule]
    cleared = rule(arrange(found.lot, orders), found.terms.grid(interval))
    trades = [TradeRecord(*trade) for trade in cleared.trades]
    return key, orders, Clearing(session, interval, cleared.price, len(orders), trades)


def _record(ctx: Context, key: str, clearing: Clearing) -> Clearing:
    ctx.put(key, clearing)
    ctx.stub.set_event("IntervalCleared", f"{clearing.session}/{clearing.interval}".encode())
    return clearing


def _grid(ctx: Context, session: str) -> SessionGrid | None:
    return ctx.get(ctx.stub.create_composite_key(_GRID, [session]), SessionGrid)


def _clearing(ctx: Context, session: str, interval: int) -> Clearing:
    key = _interval_key(ctx, _CLEARING, _session(ctx, session), interval)
    found = ctx.get(key, Clearing)
    if found is None:
        raise NotFound(f"clearing of {session}, interval {interval} yet")
    return found


def _interval_key(ctx: Context, kind: str, session: Session, interval: int) -> str:
    if not 0 <= interval < session.terms.intervals:
        raise NotFound(f"interval {interval} in session {session.terms.session}")
    return ctx.stub.create_composite_key(kind, [session.terms.session, _digits(interval)])


def _order_key(ctx: Context, session: str, interval: int, party: str) -> str:
    return ctx.stub.create_composite_key(_ORDER, [session, _digits(interval), party])


def _digits(interval: int) -> str:
    return str(interval).zfill(_PLACES)


def _check_terms(ctx: Context, terms: SessionTerms) -> None:
    if terms.rule not in RULES:
        raise BadTerms("rule", f"{terms.rule!r} is none of {', '.join(sorted(RULES))}")
    if not terms.session:
        raise BadTerms("session", "has no name")
    if len(terms.grid_sell) != len(terms.grid_buy) or not 0 < terms.intervals < 10**_PLACES:
        raise BadTerms("grid_sell", "must have one price for each interval, as grid_buy")
    for interval in range(terms.intervals):
        grid = terms.grid(interval)
        if not 0 < grid.sell < grid.buy:
            reason = f"0 < p_s < p_b does not hold in interval {interval}: {grid}"
            raise BadTerms("grid_sell", reason)
    if terms.gate_closes_at <= int(ctx.stub.get_tx_timestamp().timestamp()):
        raise BadTerms("gate_closes_at", f"{terms.gate_closes_at} is already past")


def _check_orders(terms: SessionTerms, orders: list[OrderTerms]) -> None:
    seen: set[int] = set()
    for order in orders:
        place = f"order for interval {order.interval}"
        if not 0 <= order.interval < terms.intervals:
            raise NotFound(f"interval {order.interval} in session {terms.session}")
        if order.interval in seen:
            raise Duplicate(f"the {place}")
        seen.add(order.interval)
        if not 0 < order.energy <= _LARGEST:
            raise BadTerms(place, f"energy {order.energy} Wh is not above zero, or absurd")
        highest = terms.grid(order.interval).buy
        if not 0 <= order.price <= highest:
            raise BadTerms(place, f"price {order.price} is not in [0, {highest}]")
