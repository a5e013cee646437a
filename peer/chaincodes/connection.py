"""connection.json of a chaincode service: where it listens, and how to be trusted there.

(Fabric: ChaincodeServerUserData in core/container/externalbuilder/instance.go)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridloom.common.chaincode_package import unpack_code
from gridloom.common.channel.durations import parse_duration
from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.rpc.tls import ClientTls

CONNECTION_FILE = "connection.json"
DEFAULT_DIAL_TIMEOUT = 3.0


class InvalidConnection(GridloomError):
    """A connection.json that cannot be used; reason: which field and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """How to reach a chaincode service.

    address: host:port; dial_timeout: seconds until it must be reachable; tls: None connects
    in the clear.
    """

    address: str
    dial_timeout: float = DEFAULT_DIAL_TIMEOUT
    tls: ClientTls | None = field(default=None, repr=False)


def read_connection(code: bytes) -> ServiceConnection:
    """Read connection.json out of a package's code.tar.gz.

    Raises InvalidConnection, or InvalidPackage when the code is no archive.
    """
    content = unpack_code(code).get(CONNECTION_FILE)
    if content is None:
        raise InvalidConnection(f"the package holds no {CONNECTION_FILE}")
    try:
        document = load_json(content)
    except ValueError as error:
        raise InvalidConnection(f"malformed {CONNECTION_FILE}: {error}") from error
    if not isinstance(document, dict):
        raise InvalidConnection(f"malformed {CONNECTION_FILE}: not an object")
    address = _text(document, "address")
    if not address:
        raise InvalidConnection("chaincode address not provided")
    timeout = _seconds(document.get("dial_timeout", 0)) or DEFAULT_DIAL_TIMEOUT
    return ServiceConnection(address, timeout, _tls(document))


def _tls(document: dict[str, Any]) -> ClientTls | None:
    if not _flag(document, "tls_required"):
        return None
    roots = _text(document, "root_cert").encode()
    if not _flag(document, "client_auth_required"):
        if not roots:
            raise InvalidConnection("chaincode tls root cert not provided")
        return ClientTls(roots)
    key, certificate = _text(document, "client_key"), _text(document, "client_cert")
    for value, what in ((key, "key"), (certificate, "cert"), (roots, "root cert")):
        if not value:
            raise InvalidConnection(f"chaincode tls {what} not provided")
    server_name = _text(document, "domain") or None
    return ClientTls(roots, certificate.encode(), key.encode(), server_name)


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name) or ""
    if not isinstance(value, str):
        raise InvalidConnection(f"malformed {CONNECTION_FILE}: {name} is not a text")
    return value


def _flag(document: dict[str, Any], name: str) -> bool:
    value = document.get(name) or False
    if not isinstance(value, bool):
        raise InvalidConnection(f"malformed {CONNECTION_FILE}: {name} is not true or false")
    return value


def _seconds(value: object) -> float:
    """A duration in Go's text form, or a number of nanoseconds."""
    if isinstance(value, str):
        return parse_duration(value).total_seconds() if value else 0.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1e9
    raise InvalidConnection("invalid duration")
