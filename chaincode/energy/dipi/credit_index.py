"""Chaincode dipi_credit on channel LH1: the credit index of buyers and sellers.

The scheduling chain anchors the digest of each period's trades.  Whoever brings the
trades may have them assessed, because they must have that digest and every score is
computed here from agreed and metered energy.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from gridloom.chaincode import Context, Contract, transaction

from ..faults import BadTerms, Duplicate, NotFound
from ..neighbours import AUTHENTICATION, ask
from ..roles import Role, unit_name
from .coin import coin_of
from .credit import score
from .digest import digest_of
from .records import CreditProof, CreditRecord, SettledTrade

_ANCHOR = "anchor"
_CREDIT = "credit"
_HIGHEST_ALPHA = 300_000
MICRO = 10**6


@dataclass(frozen=True, slots=True)
class Anchor:
    """The digest of a period's trades; assessed: whether they have been."""

    period: int
    digest: str
    assessed: bool = False


class DipiCredit(Contract):
    """The credit chain."""

    name = "dipi_credit_index"

    @transaction
    def natural_factor(self, ctx: Context, su_id: int, alpha: int) -> CreditRecord:
        """Judge a seller whose output depends on nature more mildly (operator only).

        alpha: millionths, in (0, 300000); before the seller's first assessment.
        """
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        if not 0 < alpha < _HIGHEST_ALPHA:
            raise BadTerms("alpha", f"{alpha} millionths are not in (0, 0.3)")
        record = _record(ctx, unit_name(Role.SU, su_id))
        if record.count or record.alpha:
            raise Duplicate(f"the natural factor or the credit of {record.unit}")
        changed = replace(record, alpha=alpha)
        ctx.put(_key(ctx, _CREDIT, record.unit), changed)
        return changed

    @transaction
    def anchor(self, ctx: Context, period: int, digest: str) -> Anchor:
        """Step 4: save the digest of the scheduling chain's record (operator only), once."""
        ask(ctx, AUTHENTICATION, "authorise", type(None), Role.OPERATOR.value)
        key = _key(ctx, _ANCHOR, str(period))
        if ctx.get(key, Anchor) is not None:
            raise Duplicate(f"the anchor of period {period}")
        anchored = Anchor(period, digest)
        ctx.put(key, anchored)
        return anchored

    @transaction
    def assess(self, ctx: Context, period: int, trades: list[SettledTrade]) -> list[CreditProof]:
        """Score the trades of an anchored period, once; the coins of all units in it."""
        key = _key(ctx, _ANCHOR, str(period))
        anchored = ctx.get(key, Anchor)
        if anchored is None:
            raise NotFound(f"anchor of period {period}")
        if anchored.assessed:
            raise Duplicate(f"the assessment of period {period}")
        if digest_of(period, trades) != anchored.digest:
            raise BadTerms("trades", f"are not those anchored for period {period}")
        ctx.put(key, replace(anchored, assessed=True))
        records = _assessed(ctx, trades)
        for record in records:
            ctx.put(_key(ctx, _CREDIT, record.unit), record)
        return [coin_of(record) for record in records]

    @transaction("evaluate")
    def credit(self, ctx: Context, unit: str) -> CreditRecord:
        """A unit's credit."""
        return _record(ctx, unit)

    @transaction("evaluate")
    def proof(self, ctx: Context, unit: str) -> CreditProof:
        """A unit's coin as it is now."""
        record = _record(ctx, unit)
        if not record.count:
            raise NotFound(f"assessment of {unit}")
        return coin_of(record)


def _assessed(ctx: Context, trades: list[SettledTrade]) -> list[CreditRecord]:
    """The records of all units of the trades after them, by name."""
    records: dict[str, CreditRecord] = {}
    for trade in trades:
        sides = (
            (unit_name(Role.BU, trade.bu_id), trade.used),
            (unit_name(Role.SU, trade.su_id), trade.generated),
        )
        for unit, actual in sides:
            if unit not in records:
                before = _record(ctx, unit)
                records[unit] = replace(before, assessments=before.assessments + 1)
            known = records[unit]
            points = score(Fraction(actual), Fraction(trade.agreed), Fraction(known.alpha, MICRO))
            records[unit] = replace(
                known, count=known.count + 1, points=known.points + int(points * MICRO)
            )
    return [records[unit] for unit in sorted(records)]


def _key(ctx: Context, kind: str, name: str) -> str:
    return ctx.stub.create_composite_key(kind, [name])


def _record(ctx: Context, unit: str) -> CreditRecord:
    return ctx.get(_key(ctx, _CREDIT, unit), CreditRecord) or CreditRecord(unit)
