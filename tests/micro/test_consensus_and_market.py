"""A Raft group's step from a proposal to its commit, and the pricing of a market's hour."""

from gridloom.market.microgrid.energy_day import paper_day
from gridloom.market.microgrid.pricing_system import price_hour
from harness.raft_voters import Cluster

HOUR = 12


def test_a_raft_proposal_on_three_nodes(benchmark) -> None:
    cluster = Cluster(3)
    leader = cluster.elect(1)

    def propose() -> None:
        leader.propose(b"e" * 1000)
        cluster.pump()

    benchmark.pedantic(propose, rounds=50, iterations=10, warmup_rounds=2)
    assert len(cluster.data(3)) == len(cluster.data(1)) > 0


def test_pricing_a_short_hour_by_bargaining(benchmark) -> None:
    day = paper_day()
    outcome = benchmark(lambda: price_hour(day, HOUR, "nash_bargain", 0))
    assert outcome.price is not None


def test_pricing_a_short_hour_by_clearing(benchmark) -> None:
    day = paper_day()
    outcome = benchmark(lambda: price_hour(day, HOUR, "clearing", 0))
    assert outcome.price is not None
