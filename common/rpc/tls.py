"""What each side of a connection needs for TLS, as PEM files' contents.

(Fabric: internal/pkg/comm/config.go, SecureOptions)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerTls:
    """A server's TLS; client_roots set means mutual TLS.

    current_client_roots: asked at each connection for the roots then in force; None keeps
    to ``client_roots``.
    """

    certificate: bytes
    private_key: bytes
    client_roots: bytes | None = None
    current_client_roots: Callable[[], bytes] | None = None

    def __repr__(self) -> str:
        return f"ServerTls(mutual={self.client_roots is not None})"


@dataclass(frozen=True, slots=True)
class ClientTls:
    """A client's TLS.

    roots: CA certificates the server is checked against; certificate and private_key: the
    client's own under mutual TLS; server_name: expected in the server's certificate instead
    of the host of the address (``ssl-target-name-override`` of a connection profile).
    """

    roots: bytes
    certificate: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None
