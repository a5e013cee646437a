"""Rounds on a network of this process: what comes out, and what becomes of what goes wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gridloom.bench import driver, runner, saturation, session
from gridloom.bench.crew import LocalCrew
from gridloom.bench.own_network import deploy
from gridloom.bench.rates import FixedLoad, FixedRate, MaximumRate
from gridloom.bench.result import RoundResult, failed_round
from gridloom.bench.rounds import Benchmark, Round
from gridloom.bench.runner import Runner
from gridloom.bench.session import Session
from gridloom.bench.target import Target
from gridloom.bench.workload import NETWORKS, Connections, find_workload
from gridloom.chaincode.energy.neighbours import COMPENSATION
from gridloom.common.identities import SigningIdentity
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology

KINDS = ["contention", "endorse", "evaluate", "mixed", "payload", "private-data", "range", "submit"]
RICH = "state_database: CouchDB"


class Bench:
    """A network in memory and a runner for it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.seen: list[tuple[str, int, int]] = []
        self.users: dict[tuple[str, str], SigningIdentity] = {}

    def connections(self, *, orderer: bool = True) -> Connections:
        access = self.network.access
        (channel,) = access.topology.channels
        peers = {
            org.msp_id: [access.peer(peer.name) for peer in org.peers]
            for org in access.topology.organizations
        }
        return Connections(
            channel.name,
            peers,
            self.users or {("Org1MSP", "User1"): access.signer("Org1", "User1")},
            access.orderer(channel) if orderer else None,
        )

    async def run(self, workload: str, rate=None, *, orderer=True, **options) -> RoundResult:
        needs = find_workload(workload).chaincodes
        await deploy(self.network.access, needs)
        crew = LocalCrew(self.connections(orderer=orderer))
        rounds = Runner(
            crew, Target("mychannel", {}, []), 1000.0, lambda *told: self.seen.append(told)
        )
        options = {"count": 8, "warmup": 0.0} | options
        return await rounds.run(Round("round", workload, rate or FixedLoad(4), **options))


@pytest.fixture
async def bench():
    async with Network.in_memory() as network:
        yield Bench(network)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_workload_runs(bench: Bench, kind: str) -> None:
    arguments = {"payload": {"sizes": [10, 1000]}}.get(kind, {})
    result = await bench.run(kind, arguments=arguments, retries=50)
    assert result.error == ""
    assert not result.marked
    assert result.succeeded > 0
    assert result.failed.keys() <= {"MVCC_READ_CONFLICT", "EndorseError ABORTED"}
    latency = result.latency_ms
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99"] <= latency["max"]
    assert sum(part.succeeded for part in result.slices) == result.succeeded
    assert result.tps_per_verification == pytest.approx(result.tps / 1000, abs=1e-4)
    assert bench.seen[-1][1] == result.succeeded


async def test_rich_queries_run_on_a_network_with_couchdbs_rules() -> None:
    async with Network.in_memory(Topology.parse(RICH)) as network:
        result = await Bench(network).run("rich-query", arguments={"keys": 100})
        assert (result.failed, result.succeeded > 0) == ({}, True)


async def test_ordering_runs_without_a_peer_and_waits_for_the_block(bench: Bench) -> None:
    result = await bench.run("order", count=20, arguments={"bytes": 2000})
    assert (result.succeeded, result.failed) == (20, {})


async def test_ordering_without_an_orderer_says_what_is_missing(bench: Bench) -> None:
    result = await bench.run("order", orderer=False)
    assert "--orderer" in result.error
    assert result.marked


async def test_a_number_of_transactions_at_a_rate(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("PUNCTUAL", "LATE"):  # a busy machine may take its time
        monkeypatch.setattr(driver, patience, 60.0)
    result = await bench.run("evaluate", FixedRate(200), duration=0.1, count=20)
    assert (result.planned_tps, result.succeeded, result.driven) == (200, 20, True)


async def test_conflicts_without_retries_are_failures_with_an_example(bench: Bench) -> None:
    hot = {"keys": 1, "hot": 100}
    result = await bench.run("contention", FixedLoad(16), count=64, arguments=hot)
    assert result.succeeded + sum(result.failed.values()) == 64
    for kind in result.failed:
        assert result.failure_examples[kind]


async def test_a_search_ends_with_a_rate_that_was_sustained(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for share in ("DRIVEN_SHARE", "SUSTAINED_SHARE"):  # however busy the machine is
        monkeypatch.setattr(runner, share, 0.0)
    monkeypatch.setattr(driver, "LATE", 60.0)
    monkeypatch.setattr(saturation, "MOST_PROBES", 3)
    result = await bench.run("evaluate", MaximumRate(20.0, 2.0, 0.1, 60_000.0))
    assert result.error == ""
    assert result.planned_tps == 80
    assert result.note == "saturation after 3 probes: 80 tps was sustained"


async def test_a_search_is_followed_by_a_round_at_half_of_what_it_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driven: list[Round] = []

    class Finds80:
        """A runner to which every search finds 80 a second."""

        def __init__(self, *_: object) -> None: ...

        async def run(self, round_: Round) -> RoundResult:
            driven.append(round_)
            planned = 80.0 if isinstance(round_.rate, MaximumRate) else round_.rate.planned_tps
            return replace(failed_round(round_.name, round_.workload, planned, ""), tps=planned)

    async def answers(_: Target) -> None: ...

    monkeypatch.setattr(session, "Runner", Finds80)
    monkeypatch.setattr(session, "check", answers)
    search = Round("reads", "evaluate", MaximumRate(20.0, 2.0, 0.1, 1000.0), warmup=3.0)
    result = await Session(Target("mychannel", {}, [])).run(Benchmark([search]))
    assert [(each.name, each.planned_tps) for each in result.rounds] == [
        ("reads", 80.0),
        ("reads at half load", 40.0),
    ]
    assert driven[1].warmup == 3.0


async def test_a_market_hour_goes_from_its_opening_to_its_settlement() -> None:
    topology = Topology.parse((NETWORKS / "market.yaml").read_text())
    async with Network.in_memory(topology) as network:
        access = network.access
        bench = Bench(network)
        bench.users = {
            (org.msp_id, user.name): access.signer(org.msp_id, user.name)
            for org in topology.organizations
            for user in org.users
        }
        result = await bench.run("market-hour", FixedLoad(1), count=2, arguments={"energy": 700})
        assert (result.error, result.succeeded, result.failed) == ("", 2, {})
        market = access.gateway("Utility", "meter").get_network("market")
        statement = market.get_contract(COMPENSATION).evaluate_transaction("statement", "BU1")
        account = json.loads(await statement)
        settled, rest = divmod(-account["energy"], 700)
        assert settled >= 2  # and more, if the load was warm before the round began
        assert (rest, account["amount"] < 0) == (0, True)


BROKEN = """
from gridloom.bench.workload import Workload

class Broken(Workload):
    async def initialize(self, context):
        {initialize}

    async def submit(self):
        {submit}
"""


@pytest.mark.parametrize(
    ("initialize", "submit", "words"),
    [
        ("self.x = 1 // 0", "pass", "raised in initialize"),
        ("pass", "raise KeyError('asset')", "raised in submit"),
        ("self.x = context.number('keys', -1)", "pass", "keys must be a whole number"),
    ],
)
async def test_a_workload_that_raises_ends_its_round_with_the_place(
    bench: Bench, tmp_path: Path, initialize: str, submit: str, words: str
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(BROKEN.format(initialize=initialize, submit=submit))
    result = await bench.run(str(file))
    assert words in result.error
    if "raised" in words:
        assert f"{file}:" in result.error
    assert result.marked
    assert (result.tps, result.latency_ms["p50"]) == (0.0, None)
