"""Credit of buyers and sellers: paper 001, eqs. (1), (2) and (12).

A transaction scores 100 when at least the agreed volume was used (buyer) or generated
(seller), else 100 actual/agreed; the credit is the mean over all transactions.  A seller
whose output depends on nature is judged more mildly by a natural weighting factor alpha
in (0, 0.3): the score is multiplied by 1 + alpha.  As printed, (12) exceeds 100 just
below the agreed volume; it is capped there.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

FULL = Fraction(100)


def score(
    actual: Fraction, agreed: Fraction, alpha: Fraction = Fraction(0), *, capped: bool = True
) -> Fraction:
    """Points of one transaction; capped=False is (12) as printed."""
    if actual >= agreed:
        return FULL
    points = actual / agreed * FULL * (1 + alpha)
    return min(points, FULL) if capped else points


def mean_credit(scores: Sequence[Fraction]) -> Fraction:
    """The credit after these transactions, at least one."""
    return sum(scores, Fraction(0)) / len(scores)
