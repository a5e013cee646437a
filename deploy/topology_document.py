"""Reading a `Topology` from its YAML document: the keys, their forms, their defaults.

Every key may be left out.  An org's peers are a count or a list; a user is a name or a
mapping; a member is an org's name.  `deploy/examples/consortium.yaml` shows every key.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gridloom.orderer.etcdraft.metadata import CONSENSUS_TYPE as ETCDRAFT
from gridloom.peer.ledger.state_database import StateDatabase

from .document import DocumentError, Section, read_document, section_of
from .poca import read_poca
from .topology import (
    ADMIN_USER,
    DEFAULT_HOST,
    DEFAULT_PORT_BASE,
    Cutting,
    OrdererNode,
    OrdererOrganization,
    Organization,
    PeerNode,
    Topology,
    User,
)
from .topology_authorities import place_authorities, read_authority
from .topology_channels import read_channels, read_raft
from .topology_rules import check_named_msps, read_rules, texts, unique

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9.-]{1,249}")
_DOMAIN = re.compile(rf"{_NAME.pattern}(?:\.{_NAME.pattern})*")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_MAX_NODES = 1000
_ADMIN_OFFSET = 3
_UNSTATED = -1

_CLUSTER_OFFSET = 5

CONSENSUS = {"solo": "solo", "raft": ETCDRAFT, ETCDRAFT: ETCDRAFT, "poca": "poca"}
STATE_DATABASES = ("goleveldb", "CouchDB", "leveldb", "couchdb")


def read_topology(text: str | bytes) -> Topology:
    """Read a document; DocumentError names the path of the first fault."""
    top = read_document(text)
    port_base = top.integer("port_base", DEFAULT_PORT_BASE, 1, 65535)
    host = top.text("host", DEFAULT_HOST, _HOST)
    consensus = CONSENSUS[top.choice("consensus", "solo", tuple(CONSENSUS))]
    raft = read_raft(top.section("raft"))
    tls = top.flag("tls", True)
    if consensus == ETCDRAFT and not tls:
        raise DocumentError("tls", "raft orderers know each other by their TLS certificates")
    cutting = Cutting(top.choice("cutting", Cutting.IDLE, [mode.value for mode in Cutting]))
    database = top.choice("state_database", STATE_DATABASES[0], STATE_DATABASES)
    ledger_url = top.text("ledger_url", "")
    orderer_orgs = _orderer_organizations(top, host, port_base)
    orgs = _organizations(top, host, port_base)
    orderer_orgs = _with_further_ports(orderer_orgs, orgs, clustered=consensus == ETCDRAFT)
    orderer_orgs, orgs = place_authorities(orderer_orgs, orgs, port_base)
    _require_unique(orgs, orderer_orgs)
    nodes = [node for org in orderer_orgs for node in org.orderers]
    poca = read_poca(top.section("poca"), [node.name for node in nodes])
    channels = read_channels(top, orgs, nodes, consensus)
    top.close()
    topology = Topology(
        orgs,
        orderer_orgs,
        channels,
        consensus,
        tls,
        cutting,
        StateDatabase.named(database),
        ledger_url,
        raft,
        poca,
    )
    check_named_msps(topology)
    return topology


# --- organizations -----------------------------------------------------------------


def _sections(top: Section, key: str, default: Sequence[object]) -> list[Section]:
    items = top.items(key)
    if items is None:
        items = [(f"{top.at(key)}[{index}]", value) for index, value in enumerate(default)]
    if not items:
        raise DocumentError(top.at(key), "at least one is needed")
    return [section_of(value, path) for path, value in items]


def _organizations(top: Section, host: str, port_base: int) -> tuple[Organization, ...]:
    sections = _sections(top, "organizations", [{"name": "Org1"}, {"name": "Org2"}])
    nodes = [_nodes(section, "peers", "peer", host) for section in sections]
    # Two slots an organization keep the test network's 7051, 9051 (and Org3's 11051).
    slots = [max(2, len(node_sections)) for node_sections in nodes]
    step = _port_step(port_base + 1, sum(slots))
    orgs = []
    for index, (section, node_sections) in enumerate(zip(sections, nodes, strict=True)):
        first = port_base + 1 + step * sum(slots[:index])
        name, msp_id, domain = _org_names(section, "{}.example.com")
        anchored = any(node.raw("anchor") for node in node_sections)
        peers = []
        for place, node in enumerate(node_sections):
            full_name, node_host = _node_names(node, "peer", place, domain, host)
            port = node.integer("port", first + step * place, 0, 65535)
            anchor = node.flag("anchor", not anchored and place == 0)
            node.close()
            peers.append(PeerNode(full_name, node_host, port, anchor))
        group = section.text("group", msp_id, _ID)
        org = Organization(
            name,
            msp_id,
            group,
            domain,
            read_authority(section, name, host),
            tuple(peers),
            _users(section),
            read_rules(section),
        )
        section.close()
        orgs.append(org)
    return tuple(orgs)


def _orderer_organizations(
    top: Section, host: str, port_base: int
) -> tuple[OrdererOrganization, ...]:
    sections = _sections(top, "orderer_organizations", [{"name": "Orderer"}])
    orgs = []
    count = itertools.count()
    nodes = [_nodes(section, "orderers", "orderer", host) for section in sections]
    step = _port_step(port_base, sum(map(len, nodes)))
    for index, (section, node_sections) in enumerate(zip(sections, nodes, strict=True)):
        pattern = "example.com" if index == 0 else "{}.example.com"
        name, msp_id, domain = _org_names(section, pattern)
        orderers = []
        for place, node in enumerate(node_sections):
            full_name, node_host = _node_names(node, "orderer", place, domain, host)
            port = node.integer("port", port_base + step * next(count), 0, 65535)
            admin_port = node.integer("admin_port", _UNSTATED, 0, 65535)
            cluster_port = node.integer("cluster_port", _UNSTATED, 0, 65535)
            node.close()
            orderers.append(OrdererNode(full_name, node_host, port, admin_port, cluster_port))
        group = section.text("group", f"{name}Org", _ID)
        users = _users(section, default=())
        orgs.append(
            OrdererOrganization(
                name,
                msp_id,
                group,
                domain,
                read_authority(section, name, host),
                tuple(orderers),
                users,
                read_rules(section),
            )
        )
        section.close()
    if not any(org.orderers for org in orgs):
        raise DocumentError("orderer_organizations", "at least one orderer is needed")
    return tuple(orgs)


def _with_further_ports(
    orderer_orgs: Sequence[OrdererOrganization], orgs: Sequence[Organization], *, clustered: bool
) -> tuple[OrdererOrganization, ...]:
    """Put ports that are not stated above the node's own: admin 3, as in the samples, cluster 5.

    Where that one is not to be had, any free port will do.
    """
    nodes = [node for org in orderer_orgs for node in org.orderers]
    taken = {(n.host, n.port) for n in nodes} | {(n.host, n.port) for o in orgs for n in o.peers}
    taken |= {(node.host, port) for node in nodes for port in (node.admin_port, node.cluster_port)}

    def settled(node: OrdererNode, stated: int, offset: int) -> int:
        if stated != _UNSTATED:
            return stated
        above = node.port + offset
        if not node.port or above >= 2**16 or (node.host, above) in taken:
            return 0
        taken.add((node.host, above))
        return above

    def with_ports(node: OrdererNode) -> OrdererNode:
        admin = settled(node, node.admin_port, _ADMIN_OFFSET)
        cluster = settled(node, node.cluster_port, _CLUSTER_OFFSET) if clustered else 0
        return replace(node, admin_port=admin, cluster_port=cluster)

    return tuple(
        replace(org, orderers=tuple(map(with_ports, org.orderers))) for org in orderer_orgs
    )


def _org_names(section: Section, domain_pattern: str) -> tuple[str, str, str]:
    name = section.text("name", None, _NAME)
    msp_id = section.text("msp_id", f"{name}MSP", _ID)
    domain = section.text("domain", domain_pattern.format(name.lower()), _DOMAIN)
    return name, msp_id, domain


def _port_step(first: int, slots: int) -> int:
    """Return 1000, as in the samples, or less when that many nodes do not fit below 65536."""
    return 1000 if first + 1000 * (slots - 1) < 2**16 else 10


def _nodes(section: Section, key: str, kind: str, host: str) -> list[Section]:
    """Return a section for each node: from a list, from a count, or for the default, one."""
    path = section.at(key)
    value = section.raw(key)
    if isinstance(value, list):
        return [
            section_of({"name": item} if isinstance(item, str) else item, f"{path}[{index}]")
            for index, item in enumerate(value)
        ]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise DocumentError(path, f"expected a count or a list of {kind}s")
    count = 1 if value is None else value
    if not 0 <= count <= _MAX_NODES:
        raise DocumentError(path, f"{count} is not in 0..{_MAX_NODES}")
    return [section_of({}, f"{path}[{index}]") for index in range(count)]


def _node_names(node: Section, kind: str, place: int, domain: str, host: str) -> tuple[str, str]:
    """Return the full name and the host of a node."""
    numbered = f"{kind}{place}" if kind == "peer" else f"{kind}{place + 1 if place else ''}"
    name = node.text("name", numbered, _NAME)
    return f"{name}.{domain}", node.text("host", host, _HOST)


# --- users ------------------------------------------------------------


def _users(section: Section, default: tuple[str, ...] = ("User1",)) -> tuple[User, ...]:
    """Return Admin and the users listed (names or mappings) or counted (User1, User2…)."""
    path = section.at("users")
    value = section.raw("users")
    listed: Iterable[object]
    if value is None:
        listed = default
    elif isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= 10 * _MAX_NODES:
            raise DocumentError(path, f"{value} is not in 0..{10 * _MAX_NODES}")
        listed = [f"User{number}" for number in range(1, value + 1)]
    elif isinstance(value, list):
        listed = value
    else:
        raise DocumentError(path, "expected a count or a list of users")
    users = [_user(item, f"{path}[{index}]") for index, item in enumerate(listed)]
    unique([(user.name, f"{path}[{index}]") for index, user in enumerate(users)], "user")
    if not any(user.name == ADMIN_USER for user in users):
        users.insert(0, User(ADMIN_USER, "admin"))
    return tuple(sorted(users, key=lambda user: user.name != ADMIN_USER))


def _user(item: object, path: str) -> User:
    if isinstance(item, str):
        item = {"name": item}
    section = section_of(item, path)
    name = section.text("name", None, _USER)
    role = section.choice("role", "admin" if name == ADMIN_USER else "client", ["client", "admin"])
    if name == ADMIN_USER and role != "admin":
        raise DocumentError(section.at("role"), f"{ADMIN_USER} is always an admin")
    attributes = texts(section.section("attributes"))
    section.close()
    return User(name, role, attributes)


# --- what must be unique -----------------------------------------------------------


def _require_unique(
    orgs: Sequence[Organization], orderer_orgs: Sequence[OrdererOrganization]
) -> None:
    every: list[tuple[Organization | OrdererOrganization, str]] = [
        *((org, f"orderer_organizations[{index}]") for index, org in enumerate(orderer_orgs)),
        *((org, f"organizations[{index}]") for index, org in enumerate(orgs)),
    ]
    by: dict[str, Callable[[Organization | OrdererOrganization], str]] = {
        "name": lambda org: org.name,
        "msp_id": lambda org: org.msp_id,
        "group": lambda org: org.group,
        "domain": lambda org: org.domain,
    }
    for key, of in by.items():
        unique([(of(org), f"{path}.{key}") for org, path in every], key)
    nodes: list[tuple[PeerNode | OrdererNode, str]] = []
    for index, orderer_org in enumerate(orderer_orgs):
        path = f"orderer_organizations[{index}].orderers"
        nodes += [(node, f"{path}[{place}]") for place, node in enumerate(orderer_org.orderers)]
    for index, org in enumerate(orgs):
        path = f"organizations[{index}].peers"
        nodes += [(node, f"{path}[{place}]") for place, node in enumerate(org.peers)]
    for node, path in nodes:
        if not 0 <= node.port < 2**16:
            raise DocumentError(f"{path}.port", f"the default {node.port} is no port; state one")
    unique([(node.name, f"{path}.name") for node, path in nodes], "node")
    endpoints = [(node.endpoint, f"{path}.port") for node, path in nodes if node.port]
    endpoints += [
        (node.admin_endpoint, f"{path}.admin_port")
        for node, path in nodes
        if isinstance(node, OrdererNode) and node.admin_port
    ]
    authorities = [(org.authority, f"{path}.ca") for org, path in every]
    unique([(node.name, f"{path}.name") for node, path in authorities], "CA")
    endpoints += [(node.endpoint, f"{path}.port") for node, path in authorities if node.port]
    endpoints += [
        (node.cluster_endpoint, f"{path}.cluster_port")
        for node, path in nodes
        if isinstance(node, OrdererNode) and node.cluster_port
    ]
    unique(endpoints, "endpoint")
