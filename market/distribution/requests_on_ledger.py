"""Nodes of a distribution network as clients of the chaincode energy_requests.

The balance study replays its periods here; the delay study measures with it.
(Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridloom.chaincode.energy.distribution.deliveries import Decision
from gridloom.chaincode.energy.distribution.nodes import (
    FoundedNetwork,
    Generated,
    NetworkTerms,
    Node,
    Request,
)
from gridloom.chaincode.energy.distribution.request_text import digest_of, request_text
from gridloom.chaincode.energy.distribution.requests import Scheme
from gridloom.chaincode.energy.neighbours import ENERGY_REQUESTS

from ..journal import Journal, Member
from ..study import Consortium
from ..together import together
from .balance import Act, Network

_DEPOSIT = 1_000_000


@dataclass(frozen=True, slots=True)
class RequestNetwork:
    """A founded network; nodes by number."""

    channel: str
    operator: Member
    meter: Member
    nodes: tuple[Member, ...]
    rates: tuple[int, ...]
    journal: Journal

    async def act(self, period: int, act: Act) -> None:
        """Generate or request in a period, as the node's meter or the node itself."""
        if act.requested is None:
            report = (period, act.node, self.rates[act.node])
            arguments = (self.meter, ENERGY_REQUESTS, "generate", *report)
            await self.journal.submit(*arguments, result=Generated, hour=period)
            return
        node, text = (
            self.nodes[act.node],
            request_text(channel=self.channel, node=act.node, period=period, energy=act.requested),
        )
        request = Request(period, act.node, act.requested, digest_of(text), node.signer.sign(text))
        await self.journal.submit(
            node, ENERGY_REQUESTS, "request", request, result=type(None), hour=period
        )

    async def decide(self, period: int) -> Decision:
        """Have the ledger decide a period."""
        return await self.journal.submit(
            self.operator, ENERGY_REQUESTS, "decide", period, result=Decision, hour=period
        )

    async def trade(self, period: int, acts: Sequence[Act]) -> Decision:
        """Everybody acts at once, then the period is decided."""
        await together(self.act(period, act) for act in acts)
        return await self.decide(period)


def participants(consortium: Consortium, nodes: int) -> tuple[Member, Member, tuple[Member, ...]]:
    """The operator, the meters' member, and so many nodes."""
    operator = consortium.member("operator", "desk", "operator")
    meter = consortium.member("utility", "meter", "grid")
    return (
        operator,
        meter,
        tuple(consortium.member("prosumers", f"node{number}") for number in range(nodes)),
    )


async def found(
    channel: str,
    people: tuple[Member, Member, tuple[Member, ...]],
    journal: Journal,
    network: Network,
    scheme: Scheme,
) -> RequestNetwork:
    """Found the network on a channel where the chaincode is deployed, and admit its nodes."""
    operator, meter, nodes = people
    terms = NetworkTerms(
        node_msps=sorted({node.msp_id for node in nodes}),
        meter_msp=meter.msp_id,
        scheme=scheme,
        basic=network.fees.basic,
        transmission=network.fees.transmission,
        largest_request=network.largest_request,
        deposit=_DEPOSIT,
    )
    await journal.submit(operator, ENERGY_REQUESTS, "found", terms, result=FoundedNetwork)
    await together(_join(journal, network, number, node) for number, node in enumerate(nodes))
    stores = list(network.stores)
    await journal.submit(operator, ENERGY_REQUESTS, "admit", stores, result=type(None))
    return RequestNetwork(channel, operator, meter, nodes, network.rates, journal)


async def _join(journal: Journal, network: Network, number: int, node: Member) -> None:
    away = list(network.distances[number][:number])
    facts = (number, network.limits[number], _DEPOSIT, away)
    await journal.submit(node, ENERGY_REQUESTS, "join", *facts, result=Node)
