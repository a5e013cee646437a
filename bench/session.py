"""One call of ``gridloom bench run``: rounds on a network that is there, or on ones of its own.

(Fabric: caliper launch manager)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby

from gridloom.client import GatewayError

from .crew import WorkerCrew
from .environment import environment
from .errors import NetworkUnusable
from .own_network import OwnNetwork, running
from .rates import MaximumRate
from .result import BenchmarkResult, RoundResult
from .rounds import Benchmark, Round
from .runner import Progress, Runner
from .target import Target
from .verification import verifications_per_second
from .workload import ChaincodeNeed, Workload, find_workload

CHECK_TIMEOUT = 10.0
"""Seconds a network has to answer the first question."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Listener:
    """What is told of a run under way: steps in words, rounds that go on, rounds that ended."""

    step: Step = lambda _: None
    progress: Progress = lambda *_: None
    done: Callable[[RoundResult], None] = lambda _: None


class Session:
    """Runs benchmarks.

    target: the network there is, None to start one for the run; network: which one then, that
    of each round's workload if None.
    """

    def __init__(
        self,
        target: Target | None = None,
        network: OwnNetwork | None = None,
        *,
        processes: bool = False,
        seed: int = 0,
        listener: Listener | None = None,
    ) -> None:
        self._target = target
        self._network = network
        self._processes = processes
        self._seed = seed
        self._listener = listener or Listener()

    async def run(self, benchmark: Benchmark) -> BenchmarkResult:
        """Run every round; NetworkUnusable, WorkloadError before the first one."""
        workloads = {each.workload: find_workload(each.workload) for each in benchmark.rounds}
        if self._target is not None:
            await check(self._target)
        self._listener.step("measuring P-256 verifications of one core")
        verifications = verifications_per_second()
        results: list[RoundResult] = []

        async def run(runner: Runner, round_: Round) -> None:
            results.append(await runner.run(round_))
            self._listener.done(results[-1])

        async with WorkerCrew(benchmark.workers, self._seed) as crew:
            for rounds in self._groups(benchmark.rounds, workloads):
                async with self._network_for(rounds, workloads) as target:
                    runner = Runner(crew, target, verifications, self._listener.progress)
                    for round_ in rounds:
                        await run(runner, round_)
                        found = results[-1].planned_tps
                        if isinstance(round_.rate, MaximumRate) and found:
                            await run(runner, round_.at_half_of(found))
        named = "an existing one" if self._target else self._description(benchmark.rounds)
        return BenchmarkResult(results, environment(verifications, named, benchmark.workers))

    def _groups(
        self, rounds: Sequence[Round], workloads: Mapping[str, type[Workload]]
    ) -> list[list[Round]]:
        """Rounds side by side that can share a network."""
        if self._target is not None or self._network is not None:
            return [list(rounds)]
        return [
            list(group) for _, group in groupby(rounds, lambda r: workloads[r.workload].network)
        ]

    @asynccontextmanager
    async def _network_for(
        self, rounds: Sequence[Round], workloads: Mapping[str, type[Workload]]
    ) -> AsyncIterator[Target]:
        if self._target is not None:
            yield self._target
            return
        kinds = [workloads[each.workload] for each in rounds]
        network = self._network or OwnNetwork.named(kinds[0].network, processes=self._processes)
        needs: list[ChaincodeNeed] = [need for kind in kinds for need in kind.chaincodes]
        async with running(network, needs, self._listener.step) as target:
            yield target

    def _description(self, rounds: Sequence[Round]) -> str:
        how = "processes" if self._processes else "single process"
        return f"started for the run, {how}, TLS"


async def check(target: Target) -> None:
    """Ask a network for its height; NetworkUnusable says why it cannot take load.

    MspDirectoryError for credentials that are incomplete or have expired.
    """
    async with target.connect() as connections:
        msp_id, _ = connections.own
        address = target.peers[msp_id][0].target
        gateway = connections.gateway()
        network = gateway.get_network(target.channel)
        proposal = network.get_contract("qscc").new_proposal("GetChainInfo", [target.channel])
        try:
            await proposal.evaluate(timeout=CHECK_TIMEOUT)
        except GatewayError as error:
            raise NetworkUnusable(address, f"it does not answer: {error}") from error
