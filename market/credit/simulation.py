"""Mining under proof of credit, simulated with real hashes: paper 001, Figure 4.

Nodes of equal computing power try one nonce each per round; whoever meets his target wins
the block, by lot if several do in the same round.  Deterministic in the seed.
(Fabric counterpart: none; orderer/poca does it for real.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

import numpy as np

from gridloom.common.proof_of_credit import (
    HASH_BITS,
    Difficulty,
    proof_hash,
    target,
    win_probabilities,
)

from .chi_square import ChiSquare, chi_square
from .race import win_law


@dataclass(frozen=True, slots=True)
class MinedChain:
    """wins: blocks by node; law: each node's exact chance; equation_11: by the paper."""

    credits: tuple[int, ...]
    wins: tuple[int, ...]
    law: tuple[float, ...]
    equation_11: tuple[float, ...]

    @property
    def test(self) -> ChiSquare:
        """The wins against the law."""
        return chi_square(self.wins, self.law)


def mine_chain(
    credits: Sequence[int],
    blocks: int,
    difficulty: Difficulty,
    rng: np.random.Generator,
    progress: Callable[[int], None] = lambda done: None,
) -> MinedChain:
    """Mine so many blocks; progress is told how many there are."""
    targets = [target(Decimal(credit), difficulty) for credit in credits]
    wins = [0] * len(credits)
    previous = rng.bytes(32)
    for number in range(blocks):
        works = [
            sha256(previous + node.to_bytes(4, "big")).digest() for node in range(len(credits))
        ]
        hits: list[int] = []
        nonce = 0
        while not hits:
            hits = [
                node
                for node, (work, highest) in enumerate(zip(works, targets, strict=True))
                if proof_hash(work, nonce) <= highest
            ]
            nonce += 1
        winner = hits[0] if len(hits) == 1 else hits[int(rng.integers(len(hits)))]
        wins[winner] += 1
        previous = works[winner]
        progress(number + 1)
    chances = [highest / 2**HASH_BITS for highest in targets]
    equation_11 = win_probabilities(credits, float(difficulty.temperature))
    return MinedChain(tuple(credits), tuple(wins), tuple(win_law(chances)), tuple(equation_11))


def positive_correlations(
    credits: Sequence[int],
    temperature: float,
    blocks: int,
    chains: int,
    rng: np.random.Generator,
) -> float:
    """The share of chains of so many blocks in which wins rise with credit (Spearman > 0).

    The paper shows one chain of 50 blocks; this says how little that proves.
    """
    chances = win_probabilities(credits, temperature)
    wins = rng.multinomial(blocks, chances, size=chains)
    ranks = _ranks(wins)
    own = _ranks(np.asarray([credits]))[0]
    centred = own - own.mean()
    covariance = (ranks - ranks.mean(axis=1, keepdims=True)) @ centred
    return float((covariance > 0).mean())


def _ranks(rows: np.ndarray) -> np.ndarray:
    """Ranks within each row, ties sharing their mean."""
    below = (rows[:, None, :] < rows[:, :, None]).sum(axis=2)
    equal = (rows[:, None, :] == rows[:, :, None]).sum(axis=2)
    ranks: np.ndarray = below + (equal - 1) / 2
    return ranks
