"""Transaction nodes, and what they do in a period (paper 004, sections 2.2 and 3).

A node brings its identity and key (its certificate) and a deposit; the operator, who has its
identity reviewed, admits it.  In a period a node either generates (D = 0) or requests (D = 1).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .requests import Scheme


@dataclass(frozen=True, slots=True)
class NetworkTerms:
    """How the network is founded.

    node_msps: organisations that bring nodes; meter_msp: whose meters report generation;
    scheme: how requests are served; basic: C_b, micro-yuan per kWh; transmission: C_t,
    micro-yuan per km; largest_request: W may not exceed it, Wh (the paper's 200 units);
    deposit: the least a node pays in, micro-yuan.
    """

    node_msps: list[str]
    meter_msp: str
    scheme: Scheme
    basic: int
    transmission: int
    largest_request: int
    deposit: int


@dataclass(frozen=True, slots=True)
class FoundedNetwork:
    """The network on the ledger; operator_msp: the founder's organisation."""

    operator_msp: str
    terms: NetworkTerms


@dataclass(frozen=True, slots=True)
class Node:
    """A transaction node.

    number: its place in the network, from 0; limit: E_l, Wh; deposit: micro-yuan; public_key:
    DER, of its certificate; distances: metres to every node with a lower number.
    """

    number: int
    owner_msp: str
    owner_id: str
    public_key: bytes
    limit: int
    deposit: int
    distances: list[int]
    admitted: bool


@dataclass(frozen=True, slots=True)
class Store:
    """Energy a node holds, Wh."""

    energy: int


@dataclass(frozen=True, slots=True)
class Generated:
    """D = 0: a node generated in a period; stored: what of it fitted below the limit, Wh."""

    period: int
    node: int
    energy: int
    stored: int


@dataclass(frozen=True, slots=True)
class Request:
    """D = 1: a node asks for energy (W, Wh, > 0) in a period.

    digest: SHA-256 of the request's text, hex; signature: ECDSA over the text by the node's
    key, DER (see request_text).
    """

    period: int
    node: int
    energy: int
    digest: str
    signature: bytes
