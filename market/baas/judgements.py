"""How the final judgement depends on how steady the units are: paper 000, Figure 6.

The figure shows points of the judgement for units that shed load, store, or convert, at
different variances, without data or axes that could be read.  Here units of the three
kinds keep a random part of their word, the ledger's rule makes evidence of it, and the
winner's mass is what remains.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gridloom.chaincode.energy.baas.decision import Thresholds, decide
from gridloom.chaincode.energy.baas.evidence import Frame, combine
from gridloom.chaincode.energy.baas.evidence_sources import (
    GRID,
    Observation,
    Source,
    bodies,
    records_of,
)

KINDS: Mapping[str, Source] = {
    "load shedding": Source.LOAD_SHEDDING,
    "storage": Source.STORAGE,
    "advanced converter": Source.GENERATION,
}
THRESHOLDS = Thresholds(Fraction(1, 20), Fraction(3, 10), Fraction(95, 100))


@dataclass(frozen=True, slots=True)
class Judged:
    """One trading party's decision; chosen: a kind, "grid" or None; best, second: masses."""

    deviation: float
    chosen: str | None
    best: float
    second: float


def judge(deviation: float, observations: int, rng: np.random.Generator) -> Judged:
    """Decide among one unit of each kind after so many observations of each.

    deviation: standard deviation of the part of its word that a unit keeps, around a mean
    of its own.
    """
    frame = Frame((*KINDS, GRID))
    seen = []
    for unit in KINDS:
        mean = rng.uniform(0.6, 1.0)
        for source in Source:
            if source is Source.LINE:
                continue
            kept = np.clip(rng.normal(mean, deviation, observations), 0, 1)
            seen += [
                Observation(source, unit, n, 1000, round(1000 * float(share)))
                for n, share in enumerate(kept)
            ]
    combined = combine(frame, bodies(frame, records_of(seen), {}))
    judgement = decide(combined, THRESHOLDS)
    return Judged(deviation, judgement.choice, float(judgement.best), float(judgement.second))
