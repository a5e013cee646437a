"""How long a trade takes on the ledger with 2 to 50 participants: the paper's delay study.

A trade's delay runs from the moment a participant sends its request or offer to the moment
every organisation's peer has committed the decision.  Two ways to trade are measured:
`requests`, where all nodes act at once and the ledger decides the period; and `purchase`, where
suppliers offer and users demand at once, the interval is closed, the swarm searches and the
ledger judges and bills what it found.  (Paper 004, section 4.3.1; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.distribution.purchases import (
    FoundedDesk,
    Interval,
    Purchase,
    PurchaseTerms,
    SupplierOffer,
    UserDemand,
)
from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.neighbours import ENERGY_REQUESTS, POWER_PURCHASE

from ..journal import Journal
from ..study import Consortium, Progress
from ..tips import Tips
from ..together import together
from .balance import Act, random_acts, random_network
from .day import CAP, PLANT, SLACK, join
from .purchase import buy
from .requests_on_ledger import RequestNetwork, found, participants

Clock = Callable[[], float]

_CLOSES_AT = 2**40


@dataclass(frozen=True, slots=True)
class Delays:
    """Delays of one way to trade among so many participants, s; rounds of it.

    cpu: processor time of a round, s, of everything that runs in this process: with the
    network in it, what a round would take on an idle core.
    """

    way: str
    participants: int
    rounds: int
    seconds: tuple[float, ...]
    cpu: float

    def percentile(self, share: float) -> float:
        """The delay that this share (0-100) of the trades does not exceed."""
        return float(np.percentile(self.seconds, share))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: ways, numbers of participants >= 2, rounds of each; clock and cpu_clock:
    seconds passed, and seconds of this process."""

    ways: tuple[str, ...]
    participants: tuple[int, ...]
    rounds: int
    clock: Clock
    cpu_clock: Clock


WAYS = ("requests", "purchase")


async def measure(
    consortium: Consortium,
    plan: Plan,
    rng: Callable[[int], np.random.Generator],
    progress: Progress,
) -> list[Delays]:
    """Measure everything the plan names; one warm-up round comes before each."""
    found_delays: list[Delays] = []
    steps = len(plan.ways) * len(plan.participants)
    most = max(plan.participants)
    people = participants(consortium, most)
    networks = {member.msp_id: member.network for member in (*people[:2], *people[2])}
    async with Tips(networks.values()) as tips:
        for way in plan.ways:
            trader = await _trader(way, consortium, Journal(tips), most, rng)
            period = 0
            for count in plan.participants:
                await trader(period, count, plan.clock)
                seconds: list[float] = []
                before = plan.cpu_clock()
                for _ in range(plan.rounds):
                    period += 1
                    seconds += await trader(period, count, plan.clock)
                cpu = (plan.cpu_clock() - before) / plan.rounds
                found_delays.append(Delays(way, count, plan.rounds, tuple(seconds), cpu))
                period += 1
                progress("delays", len(found_delays), steps)
    return found_delays


Trader = Callable[[int, int, Clock], Awaitable[list[float]]]
"""Trades one period among so many participants; the delay of each, s."""


async def _trader(
    way: str,
    consortium: Consortium,
    journal: Journal,
    most: int,
    rng: Callable[[int], np.random.Generator],
) -> Trader:
    people = participants(consortium, most)
    if way == "requests":
        await consortium.deploy(ENERGY_REQUESTS)
        network = random_network(most, rng(0))
        nodes = await found(consortium.channel, people, journal, network, Scheme.COST_AWARE)

        async def trade(period: int, count: int, clock: Clock) -> list[float]:
            acts = random_acts(network, 1, rng(period + 1))[0][:count]
            return await _request_delays(nodes, period, acts, clock)

        return trade
    await consortium.deploy(POWER_PURCHASE)
    desk = _Desk(consortium, journal, most, rng)
    await desk.found()
    return desk.delays


async def _request_delays(
    nodes: RequestNetwork, period: int, acts: Sequence[Act], clock: Clock
) -> list[float]:
    started: list[float] = []

    async def act(own: Act) -> None:
        started.append(clock())
        await nodes.act(period, own)

    await together(act(own) for own in acts)
    await nodes.decide(period)
    decided = clock()
    return [decided - start for start in started]


class _Desk:
    """Purchases among half suppliers, half users."""

    def __init__(
        self,
        consortium: Consortium,
        journal: Journal,
        most: int,
        rng: Callable[[int], np.random.Generator],
    ) -> None:
        self._journal = journal
        self._rng = rng
        self._operator = consortium.member("operator", "desk", "operator")
        pairs = range((most + 1) // 2)
        self._plants = [consortium.member("utility", f"{PLANT}{i:02}", "SU") for i in pairs]
        self._sites = [consortium.member("prosumers", f"site{i:02}", "BU") for i in pairs]

    async def found(self) -> None:
        """The purchase desk."""
        terms = PurchaseTerms([self._plants[0].msp_id], [self._sites[0].msp_id], CAP, SLACK)
        await self._submit("found", terms, result=FoundedDesk)
        everybody = (*self._plants, *self._sites)
        await together(join(self._journal, each, each.name) for each in everybody)

    async def delays(self, interval: int, count: int, clock: Clock) -> list[float]:
        """One interval among count participants."""
        rng = self._rng(interval + 1)
        await self._submit("open", interval, _CLOSES_AT, result=Interval)
        suppliers = count // 2
        offers = [
            SupplierOffer(interval, plant.name, int(price), 50_000, int(capacity))
            for plant, price, capacity in zip(
                self._plants[:suppliers],
                rng.integers(250_000, 440_000, suppliers),
                rng.integers(10_000_000, 90_000_000, suppliers),
                strict=True,
            )
        ]
        whole = sum(offer.capacity for offer in offers)
        users = count - suppliers
        demands = [
            UserDemand(interval, site.name, whole // (users + 1)) for site in self._sites[:users]
        ]
        started: list[float] = []

        async def send(function: str, place: int, record: SupplierOffer | UserDemand) -> None:
            member = (self._plants if function == "offer" else self._sites)[place]
            started.append(clock())
            await self._journal.submit(
                member, POWER_PURCHASE, function, record, result=type(None), hour=interval
            )

        await together(
            [
                *(send("offer", place, offer) for place, offer in enumerate(offers)),
                *(send("demand", place, demand) for place, demand in enumerate(demands)),
            ]
        )
        await self._submit("close", interval, result=Interval)
        bought = buy(interval, offers, demands, CAP, rng)
        await self._submit("purchase", interval, list(bought.energies), result=Purchase)
        decided = clock()
        return [decided - start for start in started]

    async def _submit(self, function: str, *arguments: object, result: type[object]) -> None:
        await self._journal.submit(
            self._operator, POWER_PURCHASE, function, *arguments, result=result
        )
