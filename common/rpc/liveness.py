"""What both sides of a connection put up with: sizes, silence, pings, attempts to connect.

(Fabric: internal/pkg/comm/config.go, KeepaliveOptions and the largest message)
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_MESSAGE_BYTES = 100 * 1024 * 1024
"""Largest message either way (Fabric: core.yaml, maxRecvMsgSize)."""

MIN_PING_INTERVAL_MS = 60_000
"""What a server puts up with by default (Fabric: keepalive.minInterval)."""

SERVER_PING_MS = 7_200_000
"""Silence after which a server asks whether the client is still there (keepalive.interval)."""

PING_TIMEOUT_MS = 20_000
"""How long it waits for the answer (keepalive.timeout)."""


@dataclass(frozen=True, slots=True)
class Liveness:
    """How a channel notices that the other side is gone, and comes back; milliseconds.

    ping, ping_timeout: silence before a ping, and before the connection is given up for dead;
    attempt: how long one attempt to connect may take, which on a busy machine is more than a
    second; reconnect: least and longest time between the beginnings of two.
    """

    ping: int = MIN_PING_INTERVAL_MS + 1_000
    ping_timeout: int = PING_TIMEOUT_MS
    attempt: int = 5_000
    reconnect: tuple[int, int] = (1_000, 5_000)


PATIENT = Liveness()
"""Between organisations: Fabric's pings, a second later so that no clock's rounding makes them too
many for a server, but no long wait for one that was away."""
VIGILANT = Liveness(ping=2_000, ping_timeout=2_000, attempt=3_000, reconnect=(500, 1_000))
"""Within a cluster, which wants to know at once; the server must allow so many pings."""
