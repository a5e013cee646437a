"""Who wins a round of mining in which several nodes may find a proof: paper 001, eq. (11).

Every node tries one nonce per round and hits with probability p_j; of those that hit in
the same round each is equally likely to be heard first.  Eq. (11), p_j / sum p, is what
remains of this for small p.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial.legendre import leggauss


def win_law(hit: Sequence[float]) -> list[float]:
    """The chance of each node to win a block; hit: p_j in [0, 1], not all zero.

    E[1 / (1 + other hits)] is the integral over t in [0, 1] of the product of the others'
    1 - p + p t, a polynomial, which Gauss-Legendre integrates exactly.
    """
    p = np.asarray(hit, dtype=np.float64)
    nodes, weights = leggauss(len(p) // 2 + 1)
    t, weights = (nodes + 1) / 2, weights / 2
    factors = 1 - p[:, None] * (1 - t)
    before = np.cumprod(np.vstack((np.ones_like(t), factors[:-1])), axis=0)
    after = np.cumprod(np.vstack((np.ones_like(t), factors[:0:-1])), axis=0)[::-1]
    shares = p * ((before * after) @ weights)
    law: list[float] = (shares / shares.sum()).tolist()
    return law


def proportional(hit: Sequence[float]) -> list[float]:
    """Eq. (11)."""
    total = sum(hit)
    return [p / total for p in hit]
