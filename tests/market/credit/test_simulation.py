"""market/credit: the simulation of Figure 4 against its law, and the test that judges it."""

from decimal import Decimal

import numpy as np
import pytest
from scipy.stats import chi2, spearmanr

from gridloom.common.proof_of_credit import Difficulty
from gridloom.market.credit.chi_square import chi_square, tail
from gridloom.market.credit.simulation import mine_chain, positive_correlations
from gridloom.market.studies import STUDIES
from harness.market_runs import run_of

CREDITS = tuple(range(91, 101))


def chain(blocks, temperature, seed=1, bits=5):
    difficulty = Difficulty(bits, temperature=Decimal(temperature))
    return mine_chain(CREDITS, blocks, difficulty, np.random.default_rng(seed))


@pytest.mark.parametrize("temperature", [1, 10])
def test_five_thousand_mined_blocks_follow_the_exact_law(temperature):
    mined = chain(5000, temperature)
    assert sum(mined.wins) == 5000
    likely = [(w, p) for w, p in zip(mined.wins, mined.law, strict=True) if 5000 * p >= 5]
    rest = 1 - sum(p for _, p in likely)
    counts = [w for w, _ in likely] + ([5000 - sum(w for w, _ in likely)] if rest > 1e-9 else [])
    chances = [p for _, p in likely] + ([rest] if rest > 1e-9 else [])
    assert chi_square(counts, chances).p > 0.001


def test_the_law_of_another_temperature_is_rejected():
    mined = chain(5000, 10)
    assert chi_square(mined.wins, chain(1, 5).law).p < 1e-6


def test_the_same_seed_mines_the_same_chain():
    assert chain(50, 10) == chain(50, 10)
    assert chain(50, 10) != chain(50, 10, seed=2)


@pytest.mark.parametrize("degrees", range(1, 12))
@pytest.mark.parametrize("statistic", [0.0, 0.3, 4.0, 9.9, 40.0])
def test_the_tail_is_that_of_the_chi_square_distribution(statistic, degrees):
    assert tail(statistic, degrees) == pytest.approx(chi2.sf(statistic, degrees), rel=1e-9)


@pytest.mark.parametrize(("temperature", "share"), [(1, 1.0), (5, 1.0), (10, 0.97), (20, 0.83)])
def test_a_positive_correlation_in_50_blocks_proves_little(temperature, share):
    rng = np.random.default_rng(3)
    found = positive_correlations(CREDITS, temperature, 50, 2000, rng)
    assert found == pytest.approx(share, abs=0.02)


def test_the_correlation_is_spearmans():
    rng = np.random.default_rng(5)
    by_hand = np.random.default_rng(5).multinomial(50, np.full(10, 0.1), size=200)
    flat = positive_correlations(CREDITS, 1e9, 50, 200, rng)
    assert flat == np.mean([spearmanr(CREDITS, row).statistic > 0 for row in by_hand])


def test_the_study_reports_every_table_and_figure():
    result = STUDIES["paper-001"].run(run_of({"blocks": 300, "bits": 4}))
    metrics = {metric.name: metric.value for metric in result.metrics}
    assert metrics["table_2_rows"] == 6
    assert metrics["chi_square_p"] > 0.001
    assert {table.name for table in result.tables} == {
        "table1", "table2", "credit", "figure4", "correlation",
    }  # fmt: skip
    assert {plot.name for plot in result.plots} == {"figure3", "figure4"}
