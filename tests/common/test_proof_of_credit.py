"""common/proof_of_credit: targets that every node computes alike, and proofs that meet them."""

from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.proof_of_credit import (
    Difficulty,
    proof_hash,
    search,
    target,
    win_probabilities,
)

FOURTEEN = Difficulty(14)


def test_the_target_is_the_exact_floor():
    assert target(Decimal(100), FOURTEEN) == 2**242
    published = 0x1A053CC0086E1E09EC343162BD9924824EF7AC9F522EB4E6BF97026D8FDC9
    assert target(Decimal(91), FOURTEEN) == published
    with localcontext() as context:
        context.prec = 400
        exact = (Decimal(-9) / 10).exp() * 2**242
        assert target(Decimal(91), FOURTEEN) == int(exact)


def test_the_callers_decimal_context_does_not_matter():
    target.cache_clear()
    before = getcontext().prec
    getcontext().prec = 5
    try:
        found = target(Decimal(96), FOURTEEN)
    finally:
        getcontext().prec = before
    target.cache_clear()
    assert found == target(Decimal(96), FOURTEEN)


@given(st.decimals(0, 100, places=3), st.decimals(0, 100, places=3))
def test_more_credit_never_makes_it_harder(one, other):
    low, high = sorted((one, other))
    assert target(low, FOURTEEN) <= target(high, FOURTEEN)


def test_the_search_finds_the_first_nonce_that_meets_the_target():
    highest = target(Decimal(100), Difficulty(8))
    nonce = search(b"work", highest, 0, 10_000)
    assert nonce is not None
    assert proof_hash(b"work", nonce) <= highest
    assert all(proof_hash(b"work", earlier) > highest for earlier in range(nonce))
    assert search(b"work", highest, 0, nonce) is None
    assert search(b"work", highest, nonce, 1) == nonce
    assert search(b"work", 0, 2**64 - 2, 100) is None  # the nonces end


def test_eleven_gives_each_credit_its_chance():
    chances = win_probabilities([91, 100], temperature=10)
    assert sum(chances) == pytest.approx(1)
    assert chances[1] / chances[0] == pytest.approx(2.4596031)
