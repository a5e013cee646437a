"""Where CA servers are that a network description does not place.

They are put where fabric-samples' test network has them: Org1's at 7054, Org2's at 8054, the
orderers' at 9054, Org3's at 11054.  (fabric-samples: test-network/compose/compose-ca.yaml)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from .document import Section
from .topology import AuthorityNode, OrdererOrganization, Organization, OrganizationKind

UNSTATED: Final = -1
_OFFSET: Final = 4
_STEP: Final = 1000
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

#: Thousands above the first place, of peer organizations and of orderer organizations.
_PEERS, _ORDERERS = (0, 1, 4, 5), (2, 3)


def read_authority(section: Section, organization: str, host: str) -> AuthorityNode:
    """Read the key ``ca`` of an organization; a port that is not stated is UNSTATED."""
    stated = section.section("ca")
    name = stated.text("name", f"ca-{organization.lower()}", _NAME)
    host = stated.text("host", host)
    port = stated.integer("port", UNSTATED, 0, 65535)
    stated.close()
    return AuthorityNode(name, host, port, fixed=port != UNSTATED)


def place_authorities(
    orderer_orgs: Sequence[OrdererOrganization], orgs: Sequence[Organization], port_base: int
) -> tuple[tuple[OrdererOrganization, ...], tuple[Organization, ...]]:
    """Give each CA server without a port its place, or any free one where that is taken."""
    taken = {node.endpoint for org in orderer_orgs for node in org.orderers}
    taken |= {node.admin_endpoint for org in orderer_orgs for node in org.orderers}
    taken |= {node.endpoint for org in orgs for node in org.peers}
    taken |= {org.authority.endpoint for org in orderer_orgs}
    taken |= {org.authority.endpoint for org in orgs}

    def settled(org: OrganizationKind, place: int) -> OrganizationKind:
        if org.authority.port != UNSTATED:
            return org
        port = port_base + _OFFSET + _STEP * place
        there = replace(org.authority, port=port)
        if port >= 2**16 or there.endpoint in taken:
            there = replace(there, port=0)
        taken.add(there.endpoint)
        return replace(org, authority=there)

    further = count(max(_PEERS) + 1)
    return (
        tuple(settled(org, place) for place, org in _numbered(_ORDERERS, further, orderer_orgs)),
        tuple(settled(org, place) for place, org in _numbered(_PEERS, further, orgs)),
    )


def _numbered(
    first: Sequence[int], further: Iterator[int], orgs: Sequence[OrganizationKind]
) -> Iterator[tuple[int, OrganizationKind]]:
    """Go through organizations with their places: the first ones have some of their own."""
    for index, org in enumerate(orgs):
        yield first[index] if index < len(first) else next(further), org
