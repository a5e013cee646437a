"""Settings of a chaincode service: the variables that Fabric's samples and shims read.

| variable | meaning |
|---|---|
| CHAINCODE_SERVER_ADDRESS | ``host:port`` to listen on |
| CHAINCODE_ID, CORE_CHAINCODE_ID_NAME | package id under which to register |
| CHAINCODE_TLS_DISABLED=false | TLS on; CHAINCODE_TLS_KEY and CHAINCODE_TLS_CERT name its files |
| CHAINCODE_CLIENT_CA_CERT | and the peers' certificates are checked against these CAs |
| CORE_PEER_TLS_ENABLED=true | the same with CORE_TLS_CLIENT_KEY_FILE and _CERT_FILE ... |
| CORE_PEER_TLS_ROOTCERT_FILE | ... and the CAs |
| CORE_PEER_LOCALMSPID | MSP id of the peer, for ``get_msp_id`` |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gridloom.common.rpc.tls import ServerTls

from .errors import SettingsError

DEFAULT_WORKERS = 64


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a chaincode service runs.

    address: ``host:port``, port 0 for a free one; package_id: label and hash of the installed
    package, which the peer compares; workers: transactions that run at the same time, the rest
    wait; msp_id: the peer's organisation, empty if unknown.
    """

    address: str
    package_id: str
    tls: ServerTls | None = None
    msp_id: str = ""
    workers: int = DEFAULT_WORKERS

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *, address: str = "", package_id: str = ""
    ) -> ServerSettings:
        """Read the variables; the arguments come before them.  SettingsError if one is missing."""
        address = address or environment.get("CHAINCODE_SERVER_ADDRESS", "")
        if not address:
            raise SettingsError("CHAINCODE_SERVER_ADDRESS", "not set (or give --address)")
        if not address.rpartition(":")[2].isdigit():
            raise SettingsError("CHAINCODE_SERVER_ADDRESS", f"{address!r} is not host:port")
        package_id = (
            package_id
            or environment.get("CHAINCODE_ID", "")
            or environment.get("CORE_CHAINCODE_ID_NAME", "")
        )
        if not package_id:
            raise SettingsError("CHAINCODE_ID", "not set (or give --id)")
        msp_id = environment.get("CORE_PEER_LOCALMSPID", "")
        return cls(address, package_id, _tls(environment), msp_id)


def _tls(environment: Mapping[str, str]) -> ServerTls | None:
    if "CHAINCODE_TLS_DISABLED" in environment:
        if _flag(environment, "CHAINCODE_TLS_DISABLED"):
            return None
        names = ("CHAINCODE_TLS_CERT", "CHAINCODE_TLS_KEY", "CHAINCODE_CLIENT_CA_CERT")
    elif _flag(environment, "CORE_PEER_TLS_ENABLED"):
        names = (
            "CORE_TLS_CLIENT_CERT_FILE",
            "CORE_TLS_CLIENT_KEY_FILE",
            "CORE_PEER_TLS_ROOTCERT_FILE",
        )
    else:
        return None
    certificate, key, roots = names
    return ServerTls(
        certificate=_file(environment, certificate),
        private_key=_file(environment, key),
        client_roots=_file(environment, roots) if environment.get(roots) else None,
    )


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise SettingsError(name, f"{value!r} is neither true nor false")
    return value in ("true", "1")


def _file(environment: Mapping[str, str], name: str) -> bytes:
    path = environment.get(name, "")
    if not path:
        raise SettingsError(name, "not set, but TLS is on")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SettingsError(name, f"{path} cannot be read: {error.strerror}") from error
