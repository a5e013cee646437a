"""The bill of a match in whole micro-yuan: `settlement` with every part rounded once.

buyer = seller + grid holds to the last unit, because each part is one payment from one
party to another.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from ..rules.amounts import value_of
from .records import GridTerms, Match, Reading, SettledTrade


def settle_match(match: Match, reading: Reading, terms: GridTerms) -> SettledTrade:
    """What was traded of a match, and who pays and earns what."""
    traded = min(reading.used, reading.generated)
    goods = value_of(traded, match.price)
    wheeling = value_of(traded, terms.wheeling)
    bought = value_of(reading.used - traded, terms.retail)
    sold = value_of(reading.generated - traded, terms.buyback)
    return SettledTrade(
        match.number,
        match.su_id,
        match.bu_id,
        match.energy,
        match.price,
        reading.used,
        reading.generated,
        traded,
        buyer=goods + wheeling + bought,
        seller=goods + sold,
        grid=wheeling + bought - sold,
    )
