"""The compromise price p_a = (p_s + p_b) / 2 also when energy is short, for comparison.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Followers


def price(followers: Followers) -> float:
    """p* = p_a."""
    return followers.tariff.compromise
