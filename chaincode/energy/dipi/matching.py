"""Matching on JY1: paper 001, step 3 and the credit matching algorithm.

Buyers are served by price, the highest first, then by time.  Each takes, of the sellers
that ask no more than he bids, the one with the highest score by Table 1's weights (credit
among them), at that seller's price, then the next, until his demand or the scheduled
volume is used up.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .matching_score import matching_scores
from .records import Bid, Match, Offer

MICRO = 10**6


@dataclass(frozen=True, slots=True)
class PlacedBid:
    """placed: when, microseconds of Unix time."""

    bid: Bid
    placed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows of a seller: credit and stability, millionths of a point."""

    credit: int
    stability: int


def match_orders(
    offers: Sequence[Offer],
    bids: Sequence[PlacedBid],
    standings: Mapping[int, Standing],
    volume: int,
) -> list[Match]:
    """The matches in the order in which they are made.

    offers: by seller, ascending, which settles ties; standings: by seller; volume: Wh that
    may be traded in all.
    """
    left = {offer.su_id: offer.energy for offer in offers}
    matches: list[Match] = []
    for placed in sorted(bids, key=lambda p: (-p.bid.price, p.placed, p.bid.bu_id)):
        wanted = placed.bid.energy
        while wanted and volume:
            open_offers = [o for o in offers if left[o.su_id] and o.price <= placed.bid.price]
            if not open_offers:
                break
            scores = matching_scores(
                [_attributes(o, left[o.su_id], placed.bid, standings[o.su_id]) for o in open_offers]
            )
            best = scores.best
            offer = open_offers[best]
            energy = min(wanted, left[offer.su_id], volume)
            weight = int(scores[best] * MICRO)
            matches.append(
                Match(len(matches), offer.su_id, placed.bid.bu_id, energy, offer.price, weight)
            )
            left[offer.su_id] -= energy
            wanted -= energy
            volume -= energy
    return matches


def _attributes(offer: Offer, energy: int, bid: Bid, standing: Standing) -> dict[str, int]:
    return {
        "c": offer.capacity,
        "q": standing.credit,
        "r": offer.renewable,
        "l": abs(offer.position - bid.position),
        "p": offer.price,
        "s": energy,
        "n": standing.stability,
    }
