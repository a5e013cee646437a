"""A server of CAs as a process: what ``gridloom ca start`` runs.

(Fabric: fabric-ca lib/server.go Start; lib/server/operations for health and metrics)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gridloom.common.operations import Operations, operations_server

from .authority import Authority, AuthorityUnusable
from .home import open_authority, server_tls
from .home_settings import SQLITE, HomeSettings, ServerSettings
from .server import CaServer
from .service import Service
from .settings import load_settings


@dataclass(frozen=True, slots=True)
class Running:
    """What a server tells once it serves.

    url: of the clients' interface; operations: ``host:port`` of health and figures, or empty.
    """

    url: str
    names: Sequence[str]
    operations: str


async def serve(
    folder: Path,
    environment: Mapping[str, str],
    overrides: Mapping[str, str],
    ready: Callable[[Running], None],
    stopped: asyncio.Event,
) -> None:
    """Serve the CAs of a folder until the event is set; ``ready`` is called once it does.

    InvalidSetting, AuthorityUnusable, DatabaseUnusable, ParentRefused, OSError.
    """
    settings = load_settings(folder, environment, overrides)
    async with AsyncExitStack() as stack:
        authorities = await asyncio.to_thread(open_authorities, settings)
        service = Service(authorities, compatible_1_3=settings.compatible_1_3)
        stack.callback(service.close)
        tls = None
        if settings.tls is not None:
            tls = await asyncio.to_thread(
                server_tls, settings.tls, settings.homes[0], authorities[0]
            )
        address = f"{settings.address}:{settings.port}"
        server = CaServer(service, address, tls, settings.origins)
        port = await server.start()
        stack.push_async_callback(server.stop)
        operations = ""
        if settings.operations.listen_address:
            told = Operations({"database": service.ailment}, {}, service.figures)
            watched = operations_server(settings.operations, told)
            host = settings.operations.listen_address.rpartition(":")[0]
            operations = f"{host}:{await watched.start()}"
            stack.push_async_callback(watched.stop)
        scheme = "http" if tls is None else "https"
        names = [authority.name for authority in authorities]
        ready(Running(f"{scheme}://{settings.address}:{port}", names, operations))
        await stopped.wait()


def open_authorities(
    settings: ServerSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Authority]:
    """Open or make all CAs of a server; AuthorityUnusable when two share what they must not."""
    _check_apart(settings.homes)
    opened: list[Authority] = []
    try:
        for home in settings.homes:
            opened.append(open_authority(home, now, os.urandom))
    except BaseException:
        for authority in opened:
            authority.close()
        raise
    return opened


def _check_apart(homes: Sequence[HomeSettings]) -> None:
    """Two CAs with one database would take each other's identities for their own."""
    seen: dict[str, str] = {}
    for home in homes:
        database, name = home.database, home.authority.name
        place = database.source
        if database.kind == SQLITE:
            place = str((home.folder / database.source).resolve())
        if place in seen:
            raise AuthorityUnusable(name, f"its database is also that of CA {seen[place]!r}")
        seen[place] = name
