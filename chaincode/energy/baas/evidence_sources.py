"""Evidence from the ledger's history: paper 000, section 2.3.2.

There are four sources: generation forecast, line faults, storage availability, load
shedding.  An observation says how much of what was promised was kept.  The paper prints
no construction; read here as: a unit's score s in a source is the mean share kept, by
Laplace's rule (an unknown unit scores one half); the line source scores a unit by the
product over the lines its energy would flow through.  The odds s / (1 - s), normalised
over the candidates and the grid with odds 1, are the source's masses; its reliability
n / (n + 4), for n observations of a candidate on average, discounts them (Shafer).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import prod

from .evidence import Evidence, Frame, body, discount, vacuous

MICRO = 10**6
GRID = "grid"
"""The hypothesis that no unit will do and the energy comes from the grid."""

_DOUBT = 4
_EVEN_ODDS = Fraction(1)


class Source(StrEnum):
    """What is observed."""

    GENERATION = "generation"
    LINE = "line"
    STORAGE = "storage"
    LOAD_SHEDDING = "load_shedding"


@dataclass(frozen=True, slots=True)
class Observation:
    """subject: a unit such as SU1, or a line such as line:3; promised > 0 and 0 <= kept:
    Wh forecast and generated, minutes and minutes in service, Wh asked for and given."""

    source: Source
    subject: str
    period: int
    promised: int
    kept: int

    @property
    def share(self) -> int:
        """The part kept, millionths; more than promised counts as all of it."""
        return min(self.kept, self.promised) * MICRO // self.promised


@dataclass(frozen=True, slots=True)
class Record:
    """A subject's observations in a source: how many, and the sum of their shares."""

    count: int = 0
    shares: int = 0

    @property
    def score(self) -> Fraction:
        """Laplace's rule of succession."""
        return (Fraction(self.shares, MICRO) + 1) / (self.count + 2)


NO_RECORD = Record()
History = Mapping[Source, Mapping[str, Record]]
"""By source and subject."""


def records_of(observations: Sequence[Observation]) -> dict[Source, dict[str, Record]]:
    """Add observations up."""
    history: dict[Source, dict[str, Record]] = {source: {} for source in Source}
    for each in observations:
        before = history[each.source].get(each.subject, NO_RECORD)
        history[each.source][each.subject] = Record(before.count + 1, before.shares + each.share)
    return history


def bodies(frame: Frame, history: History, paths: Mapping[str, Sequence[str]]) -> list[Evidence]:
    """One body of evidence for each source.

    frame: the candidates and GRID; paths: the lines a candidate's energy would use.
    """
    evidence = []
    for source in Source:
        known = history.get(source, {})
        if source is Source.LINE:
            looked_at = {unit: list(paths.get(unit, ())) for unit in frame.hypotheses}
        else:
            looked_at = {unit: [unit] for unit in frame.hypotheses}
        records = {
            unit: [known.get(subject, NO_RECORD) for subject in subjects]
            for unit, subjects in looked_at.items()
            if unit != GRID
        }
        evidence.append(_body(frame, records))
    return evidence


def _body(frame: Frame, records: Mapping[str, Sequence[Record]]) -> Evidence:
    observed = Fraction(sum(each.count for own in records.values() for each in own))
    if not observed:
        return vacuous(frame)
    known = observed / len(records)
    odds = {unit: _odds(own) for unit, own in records.items()}
    odds[GRID] = _EVEN_ODDS
    total = sum(odds.values(), Fraction(0))
    masses = {frame.subset([unit]): own / total for unit, own in odds.items()}
    return discount(body(frame, masses), known / (known + _DOUBT))


def _odds(records: Sequence[Record]) -> Fraction:
    """Of keeping its word in all of them; who depends on nothing has the grid's odds."""
    if not records:
        return _EVEN_ODDS
    score = prod((each.score for each in records), start=Fraction(1))
    return score / (1 - score)
