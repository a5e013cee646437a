"""The study `paper-001`: its tables and figures, printed and ours.

Parameters: blocks and bits of the mined chain of Figure 4, and its temperature.
docs/papers.md gives the verdicts.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from gridloom.chaincode.energy.dipi.credit import mean_credit, score
from gridloom.chaincode.energy.dipi.matching_score import WEIGHTS
from gridloom.chaincode.energy.dipi.settlement import Prices, settle
from gridloom.common.proof_of_credit import Difficulty

from ..result import Column, Look, Metric, Plot, Result, Series, Table
from ..settings import Settings
from ..study import Run
from .simulation import MinedChain, mine_chain, positive_correlations

CREDITS = tuple(range(91, 101))
"""Ten market players between 90 and 100 points, as in section 5.2."""

PAPER_BLOCKS = 50
_TEMPERATURES = (1, 5, 10, 20)
_ALPHAS = (Fraction(0), Fraction(1, 10), Fraction(2, 10), Fraction(29, 100))
_CHAINS = 4000
_MINING, _CORRELATION = 0, 1  # streams of random numbers

TABLE_2 = (
    ("0.55", 200, "0.02", 220, 200, "126.3", "110", "16.3", 100, 100),
    ("0.56", 200, "0.02", 200, 200, "116", "112", "4", 100, 100),
    ("0.54", 200, "0.02", 180, 200, "100.8", "105.4", "-4.6", 90, 100),
    ("0.54", 200, "0.02", 250, 250, "140", "135", "5", 100, 100),
    ("0.56", 200, "0.02", 180, 180, "104.4", "100.8", "3.6", 90, 90),
    ("0.55", 200, "0.02", 190, 190, "108.3", "104.5", "3.8", 95, 90),
    ("0.54", 200, "0.02", 240, 220, "135.9", "118.8", "17.1", 90, 85),
)
"""As printed: price, agreed, wheeling, use, output; buyer, seller, grid; the two credits."""

RETAIL, BUYBACK = Fraction("0.615"), Fraction("0.41")


def run(run: Run) -> Result:
    """Everything that can be had from the paper."""
    settings = Settings.of(run.fields)
    settings.only({"blocks", "bits", "temperature"})
    blocks = settings.whole("blocks", 5000, low=100, high=100_000)
    bits = settings.whole("bits", 6, low=1, high=14)
    temperature = settings.whole("temperature", 10, low=1, high=1000)
    chain = mine_chain(
        CREDITS,
        blocks,
        Difficulty(bits, temperature=Decimal(temperature)),
        run.rng(_MINING),
        lambda done: run.progress("mining", done, blocks),
    )
    return Result(
        title="Paper 001: printed and ours",
        metrics=_metrics(chain),
        tables=(_weights(), _settlement(), _credit(), _blocks(chain), _correlation(run)),
        plots=(_figure_3(), _figure_4(chain)),
        remarks=(
            "Table 2, row 7: printed 0.40 yuan too much for buyer and grid; the same rule "
            "gives rows 1 to 6 exactly.",
            "Credits of Table 2: the seller of row 6 and both of row 7 are not what (1) and "
            "(2) give; its cumulative volumes follow from nothing printed.",
            "Equation (10) as printed holds no 256-bit hash; the target is normalised with a "
            "credit temperature, of which 1 is the paper's weighting.",
            "Figures 3 and 4 exist as pictures only; what they show is computed here.",
        ),
        parameters={"blocks": blocks, "bits": bits, "temperature": temperature},
    )


def _metrics(chain: MinedChain) -> tuple[Metric, ...]:
    test = chain.test
    matching = sum(not any(_residual(row)) for row in TABLE_2)
    return (
        Metric("table_2_rows", matching, "of 7", "rows of Table 2 that the rule gives exactly"),
        Metric("chi_square", test.statistic, "", f"wins against the law, {test.degrees} degrees"),
        Metric("chi_square_p", test.p, "", "chance of such a deviation if the law is right"),
        Metric(
            "wins_of_highest",
            chain.wins[-1] / sum(chain.wins),
            "",
            f"share of credit {chain.credits[-1]}, by the law {chain.law[-1]:.4f}",
        ),
    )


def _residual(row: tuple[object, ...]) -> tuple[Fraction, Fraction, Fraction]:
    """Printed minus rule, yuan: buyer, seller, grid."""
    cells = [Fraction(str(cell)) for cell in row]
    price, _, wheeling, used, generated = cells[:5]
    buyer, seller, grid = cells[5:8]
    bill = settle(used, generated, Prices(price, wheeling, RETAIL, BUYBACK))
    return buyer - bill.buyer, seller - bill.seller, grid - bill.grid


def _weights() -> Table:
    names = {
        "c": "generation capacity", "q": "credit", "r": "renewable energy",
        "l": "node position", "p": "unit price", "s": "power volume",
        "n": "generation stability",
    }  # fmt: skip
    rows = [(names[symbol], float(weight)) for symbol, weight in WEIGHTS.items()]
    columns = (Column("parameter"), Column("basic weight"))
    return Table("table1", "Table 1: parameter weights", columns, rows)


def _settlement() -> Table:
    columns = ("no", "buyer", "seller", "grid", "residual buyer", "residual seller")
    rows = []
    for number, row in enumerate(TABLE_2, start=1):
        rest = _residual(row)
        ours = [
            float(Fraction(str(printed)) - off) for printed, off in zip(row[5:8], rest, strict=True)
        ]
        rows.append([number, *ours, *map(float, rest)])
    return Table(
        "table2",
        "Table 2: money of the seven tests, ours, and printed minus ours",
        (
            *(Column(name, "yuan" if name != "no" else "") for name in columns),
            Column("residual grid", "yuan"),
        ),
        rows,
    )


def _credit() -> Table:
    rows = []
    for number, row in enumerate(TABLE_2, start=1):
        agreed = Fraction(row[1])
        ours = [float(score(Fraction(actual), agreed)) for actual in row[3:5]]
        rows.append([number, *ours, row[8], row[9]])
    columns = ("no", "buyer", "seller", "buyer printed", "seller printed")
    return Table("credit", "Table 2: credit of each test", tuple(map(Column, columns)), rows)


def _blocks(chain: MinedChain) -> Table:
    total = sum(chain.wins)
    rows = [
        (credit, wins, total * law, PAPER_BLOCKS * law, paper)
        for credit, wins, law, paper in zip(
            chain.credits, chain.wins, chain.law, chain.equation_11, strict=True
        )
    ]
    columns = ("credit", "blocks won", "expected", "expected in 50", "equation (11)")
    return Table("figure4", "Figure 4: blocks won by credit", tuple(map(Column, columns)), rows)


def _correlation(run: Run) -> Table:
    rows = [
        (
            temperature,
            positive_correlations(
                CREDITS, temperature, PAPER_BLOCKS, _CHAINS, run.rng(_CORRELATION, temperature)
            ),
        )
        for temperature in _TEMPERATURES
    ]
    columns = (Column("temperature", "points"), Column("share with rank correlation > 0"))
    return Table(
        "correlation",
        f"How often 50 blocks show a positive correlation ({_CHAINS} chains)",
        columns,
        rows,
        "The paper's single chain of 50 blocks shows a positive correlation at almost any "
        "weighting: chi-square over many blocks is the test that can fail.",
    )


def _figure_3() -> Plot:
    series = []
    for alpha in _ALPHAS:
        scores = [score(Fraction(row[4]), Fraction(row[1]), alpha) for row in TABLE_2]
        credits_ = [float(mean_credit(scores[: n + 1])) for n in range(len(scores))]
        series.append(Series(f"alpha {float(alpha):g}", range(1, len(scores) + 1), credits_))
    return Plot(
        "figure3", "Figure 3: integrated credit of the seller", "test", "credit, points",
        tuple(series),
    )  # fmt: skip


def _figure_4(chain: MinedChain) -> Plot:
    total = sum(chain.wins)
    return Plot(
        "figure4",
        "Figure 4: probability of winning a block by credit",
        "credit, points",
        "probability",
        (
            Series("mined", chain.credits, [w / total for w in chain.wins], Look.POINTS),
            Series("exact law", chain.credits, chain.law),
            Series("equation (11)", chain.credits, chain.equation_11),
        ),
    )
