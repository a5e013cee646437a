"""The port on which an orderer hears the others (Fabric: General.Cluster of orderer.yaml).

It is a port of its own, for gRPC here either asks every client for a certificate or none, and
clients of the orderer need not have one.
"""

from __future__ import annotations

from typing import Protocol

from gridloom.common.rpc import ServiceRegistry
from gridloom.common.rpc.tls import ServerTls
from gridloom.common.rpc.transport import RpcServer, grpc_server

MIN_PING_INTERVAL = 500
"""Milliseconds; consenters watch each other closely."""


class ClusterNode(Protocol):
    """An orderer, as far as the others call it."""

    def cluster_services(self) -> ServiceRegistry:
        """What it serves to other orderers."""

    def consenter_roots(self) -> bytes:
        """PEM of the CAs whose certificates other orderers may show now."""


def cluster_server(
    node: ClusterNode, address: str, certificate: bytes, private_key: bytes, roots: bytes
) -> RpcServer:
    """Return the server at ``host:port``; roots: PEM of CAs trusted whatever the channels say."""
    tls = ServerTls(
        certificate,
        private_key,
        client_roots=roots,
        current_client_roots=lambda: roots + node.consenter_roots(),
    )
    services = node.cluster_services()
    return grpc_server(services, address, tls, min_ping_interval=MIN_PING_INTERVAL)
