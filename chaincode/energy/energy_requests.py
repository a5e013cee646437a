"""Chaincode of the active distribution network: storage, requests, deliveries (paper 004).

Nodes join with an identity, a key and a deposit and are admitted by the operator.  In each
period a node's meter reports what it generated, or the node itself publishes a signed request;
never both.  Each report and request has a key of its own, so nodes never get in each other's
way.  Then the ledger decides the period: it serves waiting and new requests by the scheme the
network was founded with, from the stores it has kept itself.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridloom.chaincode import Context, Contract, transaction

from .distribution.deliveries import Decision, Fees, Statement, Waiting, decide, statement, turn
from .distribution.nodes import FoundedNetwork, Generated, NetworkTerms, Node, Request, Store
from .distribution.request_text import digest_of, request_text
from .distribution.storage import charge
from .faults import (
    BadSignature,
    BadTerms,
    Duplicate,
    NegativeEnergy,
    NotApproved,
    NotEntitled,
    NotFound,
    NotOwner,
    WrongStage,
)
from .order_text import is_signed_by
from .roles import Role, demand_operator, demand_role

_NETWORK = "network"
_NODE = "node"
_STORE = "store"
_GENERATED = "generated"
_REQUEST = "request"
_DECISION = "decision"
_LAST = "last decided"


class EnergyRequests(Contract):
    """Requests for energy between the nodes of a network."""

    name = "energy_requests"

    @transaction
    def found(self, ctx: Context, terms: NetworkTerms) -> FoundedNetwork:
        """Found the network: the caller's organisation operates it from now on; once."""
        demand_role(ctx, Role.OPERATOR)
        if ctx.get(_NETWORK, FoundedNetwork) is not None:
            raise Duplicate("the network")
        amounts = (terms.basic, terms.transmission, terms.largest_request, terms.deposit)
        if min(amounts) < 0 or not terms.node_msps:
            raise BadTerms("terms", "no fee or limit may be negative, some organisation needed")
        founded = FoundedNetwork(ctx.client_identity.msp_id, terms)
        ctx.put(_NETWORK, founded)
        return founded

    @transaction
    def join(
        self, ctx: Context, number: int, limit: int, deposit: int, distances: list[int]
    ) -> Node:
        """Apply as a node, with a deposit and the metres to all nodes of a lower number."""
        terms, who = _network(ctx).terms, ctx.client_identity
        if who.msp_id not in terms.node_msps:
            raise NotEntitled("node", f"{who.msp_id} brings no nodes")
        if number < 0 or len(distances) != number or min(distances, default=0) < 0:
            raise BadTerms("distances", f"node {number} needs {number} distances >= 0")
        if limit < 0:
            raise NegativeEnergy(f"storage limit of node {number}", limit)
        if deposit < terms.deposit:
            raise BadTerms("deposit", f"is {deposit}, at least {terms.deposit} is needed")
        if _find_node(ctx, number) is not None:
            raise Duplicate(f"node {number}")
        key = who.certificate.public_key()
        public_key = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        node = Node(
            number, who.msp_id, who.id, public_key, limit, deposit, distances, admitted=False
        )
        ctx.put(_key(ctx, _NODE, number), node)
        return node

    @transaction
    def admit(self, ctx: Context, stores: list[int]) -> None:
        """Admit nodes 0, 1, ... with what their stores hold at first, Wh (operator only).

        Nodes already admitted keep what they hold.
        """
        demand_operator(ctx, _network(ctx).operator_msp)
        for number, energy in enumerate(stores):
            node = _node(ctx, number)
            if not 0 <= energy <= node.limit:
                raise BadTerms("stores", f"node {number}: {energy} is not in [0, {node.limit}]")
            if not node.admitted:
                ctx.put(_key(ctx, _NODE, number), replace(node, admitted=True))
                ctx.put(_key(ctx, _STORE, number), Store(energy))

    @transaction
    def generate(self, ctx: Context, period: int, number: int, energy: int) -> Generated:
        """Report a node's generation in a period (D = 0; the meters' organisation)."""
        demand_role(ctx, Role.GRID)
        if ctx.client_identity.msp_id != _network(ctx).terms.meter_msp:
            raise NotEntitled(Role.GRID.value, "the meters are another organisation's")
        node = _admitted(ctx, number)
        _demand_undecided(ctx, period, number)
        if energy < 0:
            raise NegativeEnergy(f"generation of node {number}", energy)
        key = _key(ctx, _STORE, number)
        held = ctx.get(key, Store) or Store(0)
        after = charge(held.energy, energy, node.limit, requesting=False)
        generated = Generated(period, number, energy, after - held.energy)
        ctx.put(key, Store(after))
        ctx.put(_key(ctx, _GENERATED, period, number), generated)
        return generated

    @transaction
    def request(self, ctx: Context, request: Request) -> None:
        """Ask for energy in a period (D = 1; the node itself), signed by its key."""
        node, who = _admitted(ctx, request.node), ctx.client_identity
        if (node.owner_msp, node.owner_id) != (who.msp_id, who.id):
            raise NotOwner(f"node {request.node}")
        _demand_undecided(ctx, request.period, request.node)
        most = _network(ctx).terms.largest_request
        if not 0 < request.energy <= most:
            raise BadTerms("energy", f"{request.energy} Wh is not in (0, {most}]")
        text = request_text(
            channel=ctx.stub.get_channel_id(),
            node=request.node,
            period=request.period,
            energy=request.energy,
        )
        if request.digest != digest_of(text):
            raise BadTerms("digest", "is not the SHA-256 of the request's text")
        if not is_signed_by(node.public_key, text, request.signature):
            raise BadSignature(f"node {request.node}", request.period)
        ctx.put(_key(ctx, _REQUEST, request.period, request.node), request)

    @transaction
    def decide(self, ctx: Context, period: int) -> Decision:
        """Serve a period's requests and the waiting list (operator only); periods in order."""
        demand_operator(ctx, _network(ctx).operator_msp)
        before = ctx.get(_LAST, Decision)
        if period < 0 or (before is not None and period <= before.period):
            last = "below 0" if before is None else f"not after {before.period}"
            raise WrongStage(period, f"cannot be decided, it is {last}")
        terms = _network(ctx).terms
        nodes = _nodes(ctx)
        asked = [Waiting(period, r.node, r.energy) for r in _requests(ctx, period)]
        queue = [*(before.waiting if before else ()), *turn(period, len(nodes), asked)]
        stores = [(ctx.get(_key(ctx, _STORE, n.number), Store) or Store(0)).energy for n in nodes]
        decision = decide(
            period,
            queue,
            scheme=terms.scheme,
            stores=stores,
            distances=_matrix(nodes),
            fees=Fees(terms.basic, terms.transmission),
        )
        for number, (had, has) in enumerate(zip(stores, decision.stores, strict=True)):
            if had != has:
                ctx.put(_key(ctx, _STORE, number), Store(has))
        ctx.put(_LAST, decision)
        ctx.put(_key(ctx, _DECISION, period), decision)
        ctx.stub.set_event("PeriodDecided", str(period).encode())
        return decision

    @transaction("evaluate")
    def decision(self, ctx: Context, period: int) -> Decision:
        """A decided period."""
        found = ctx.get(_key(ctx, _DECISION, period), Decision)
        if found is None:
            raise NotFound(f"decision of period {period} yet")
        return found

    @transaction("evaluate")
    def stores(self, ctx: Context) -> list[int]:
        """What every admitted node holds, Wh by number."""
        return [
            (ctx.get(_key(ctx, _STORE, node.number), Store) or Store(0)).energy
            for node in _nodes(ctx)
        ]

    @transaction("evaluate")
    def statement(self, ctx: Context, number: int) -> Statement:
        """A node's deliveries and money over all decided periods."""
        _node(ctx, number)
        stored = ctx.stub.get_state_by_partial_composite_key(_DECISION, [])
        return statement(number, [ctx.decode(key, value, Decision) for key, value in stored])


def _key(ctx: Context, kind: str, *rest: int) -> str:
    return ctx.stub.create_composite_key(kind, [str(part) for part in rest])


def _network(ctx: Context) -> FoundedNetwork:
    network = ctx.get(_NETWORK, FoundedNetwork)
    if network is None:
        raise NotFound("network yet")
    return network


def _find_node(ctx: Context, number: int) -> Node | None:
    return ctx.get(_key(ctx, _NODE, number), Node)


def _node(ctx: Context, number: int) -> Node:
    node = _find_node(ctx, number)
    if node is None:
        raise NotFound(f"node {number}")
    return node


def _admitted(ctx: Context, number: int) -> Node:
    node = _node(ctx, number)
    if not node.admitted:
        raise NotApproved(f"node {number}")
    return node


def _nodes(ctx: Context) -> list[Node]:
    """The admitted nodes, which are the lowest numbers."""
    stored = ctx.stub.get_state_by_partial_composite_key(_NODE, [])
    every = sorted(
        (ctx.decode(key, value, Node) for key, value in stored), key=lambda node: node.number
    )
    return [node for node in every if node.admitted]


def _matrix(nodes: list[Node]) -> list[list[int]]:
    """Metres between all nodes; the matrix is symmetric."""
    count = range(len(nodes))
    return [[0 if i == j else nodes[max(i, j)].distances[min(i, j)] for j in count] for i in count]


def _requests(ctx: Context, period: int) -> list[Request]:
    stored = ctx.stub.get_state_by_partial_composite_key(_REQUEST, [str(period)])
    return [ctx.decode(key, value, Request) for key, value in stored]


def _demand_undecided(ctx: Context, period: int, number: int) -> None:
    """A node acts once in a period, before the period is decided."""
    if period < 0:
        raise BadTerms("period", f"{period} is negative")
    last = ctx.get(_LAST, Decision)
    if last is not None and period <= last.period:
        raise WrongStage(period, "is decided already")
    if ctx.get(_key(ctx, _GENERATED, period, number), Generated) is not None:
        raise Duplicate(f"the generation of node {number} in period {period}")
    if ctx.get(_key(ctx, _REQUEST, period, number), Request) is not None:
        raise Duplicate(f"the request of node {number} in period {period}")
