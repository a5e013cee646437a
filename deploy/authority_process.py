"""One organization's CA server in a process of its own, without peers and orderers."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

from .authorities import AuthorityServer, authority_server
from .home import NetworkHome
from .material import load_material
from .ports import require_free
from .supervised import run_until_stopped
from .topology import OrdererOrganization, Organization


def organization_of(home: NetworkHome, authority: str) -> Organization | OrdererOrganization | None:
    """Return the organization whose CA has this name, None if there is none."""
    orgs = home.topology().every_organization()
    return next((org for org in orgs if org.authority.name == authority), None)


async def run_authority(
    home: NetworkHome,
    org: Organization | OrdererOrganization,
    ready: Callable[[], None],
    *,
    supervised: bool = False,
) -> None:
    """Run the CA server of an organization until SIGINT or SIGTERM (see ``run_until_stopped``).

    PortTaken for an address in use, MaterialError.
    """

    def prepare() -> AuthorityServer:
        require_free([org.authority])
        topology = home.topology()
        return authority_server(
            load_material(topology, home.organizations),
            org,
            tls=topology.tls,
            now=lambda: datetime.now(UTC),
            random_bytes=os.urandom,
        )

    await run_until_stopped(prepare, ready, supervised=supervised)
