"""An orderer from its own orderer.yaml (Fabric: orderer/common/server/main.go)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from gridloom.common.http_server import Application, HttpServer
from gridloom.common.msp_directory import load_signing_identity
from gridloom.common.operations import Operations, operations_server
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.rpc.transport import grpc_server
from gridloom.common.settings import InvalidSetting
from gridloom.orderer.cluster.block_puller import Puller
from gridloom.orderer.cluster.dialer import grpc_dialer
from gridloom.orderer.cluster.server import cluster_server
from gridloom.orderer.etcdraft.consenter import ClusterParts, RaftSettings
from gridloom.orderer.etcdraft.log_store import LogFolder
from gridloom.orderer.node import Orderer, utc_now
from gridloom.orderer.participation_checks import check_join_block
from gridloom.orderer.settings import TlsSettings, load_settings
from gridloom.orderer.storage import FileStorage

from .cutting import cut_on_signal
from .standalone import Links, Server, read_all, read_block


class StandaloneOrderer:
    """One orderer and its ports, as a folder with orderer.yaml describes them.

    join: files of config blocks, each of a channel to join unless it was joined before;
    first_start: a majority of the orderers is enough for a Raft channel to begin.
    InvalidSetting, MspDirectoryError, LogError, ForeignLedger and what ``Registrar.join`` raises.
    """

    def __init__(
        self,
        config_dir: Path,
        environment: Mapping[str, str],
        join: Sequence[Path] = (),
        *,
        first_start: bool = False,
    ) -> None:
        self.settings = settings = load_settings(config_dir, environment)
        self._signer = load_signing_identity(settings.local_msp_dir, settings.local_msp_id)
        self._links = Links(self._client_tls)
        self.orderer = Orderer(
            self._signer,
            settings.local_msp_id,
            FileStorage(settings.location),
            cutting=settings.cutting,
            cluster=self._cluster(first_start=first_start),
            time_window=settings.time_window,
            check_expiration=settings.check_expiration,
        )
        for path in join:
            self._join(path)
        self.servers = self._servers()

    async def start(self) -> None:
        """Start ordering."""
        await self.orderer.start()
        cut_on_signal([self.orderer])

    async def stop(self) -> None:
        """Stop ordering."""
        await self.orderer.stop()
        await self._links.close()

    def _join(self, path: Path) -> None:
        block = read_block(path)
        known = {info.name for info in self.orderer.channels()}
        if check_join_block(block).channel_id not in known:
            self.orderer.join(block)

    def _cluster(self, *, first_start: bool) -> ClusterParts | None:
        cluster = self.settings.cluster
        if cluster.tls is None:
            return None
        own = cluster.client_certificate or cluster.tls.certificate
        key = cluster.client_key or cluster.tls.private_key
        return ClusterParts(
            certificate=cluster.tls.certificate.read_bytes(),
            dial=grpc_dialer(own.read_bytes(), key.read_bytes()),
            logs=LogFolder(cluster.wal_dir),
            puller=Puller(self._links, self._signer, utc_now, os.urandom),
            settings=RaftSettings(
                cutting=self.settings.cutting,
                submit_timeout=cluster.rpc_timeout / timedelta(seconds=1),
                eviction_suspicion=cluster.eviction_suspicion / timedelta(seconds=1),
                tick_interval=cluster.tick_interval,
                first_start=first_start,
            ),
        )

    def _client_tls(self) -> ClientTls | None:
        """With what other orderers are asked for blocks."""
        if self.settings.tls is None:
            return None
        roots = self._roots() + self.orderer.consenter_roots()
        own = self.settings.tls
        return ClientTls(roots, own.certificate.read_bytes(), own.private_key.read_bytes())

    def _roots(self) -> bytes:
        general, cluster = self.settings.tls, self.settings.cluster.tls
        paths = [*(general.root_cas if general else ()), *(cluster.root_cas if cluster else ())]
        return read_all(list(dict.fromkeys(paths)))

    def _servers(self) -> list[Server]:
        settings = self.settings
        servers: list[Server] = [
            grpc_server(self.orderer.services(), settings.listen_address, _server_tls(settings.tls))
        ]
        cluster = settings.cluster
        if cluster.tls is not None:
            certificate, key = cluster.tls.certificate, cluster.tls.private_key
            roots = self._roots() or self.orderer.consenter_roots()
            if not roots:
                reason = "needed: the CAs whose TLS certificates other orderers may show"
                raise InvalidSetting("General.Cluster.RootCAs", reason)
            address = cluster.listen_address
            servers.append(
                cluster_server(
                    self.orderer, address, certificate.read_bytes(), key.read_bytes(), roots
                )
            )
        if settings.admin.listen_address:
            servers.append(self._admin_server())
        if settings.operations.listen_address:
            servers.append(operations_server(settings.operations, orderer_operations(self.orderer)))
        return servers

    def _admin_server(self) -> HttpServer:
        admin = self.settings.admin

        def application() -> Application:
            from gridloom.orderer.participation import participation  # noqa: PLC0415

            return participation(
                self.orderer.registrar,
                enabled=admin.participation,
                max_body=admin.max_request_body,
            )

        return HttpServer(application, admin.listen_address, _server_tls(admin.tls))


def orderer_operations(orderer: Orderer) -> Operations:
    """What the operations service tells of an orderer.

    Healthy: no chain has failed; ready: every channel that this node orders has a leader.
    """

    def failed() -> str:
        names = [info.name for info in orderer.channels() if info.status == "failed"]
        return f"failed: {', '.join(names)}" if names else ""

    def leaderless() -> str:
        names = [
            info.name
            for info in orderer.channels()
            if info.consensus_relation == "consenter" and not orderer.ready(info.name)
        ]
        return f"no leader, or onboarding: {', '.join(names)}" if names else ""

    def gauges() -> Iterable[tuple[str, Mapping[str, str], float]]:
        for info in orderer.channels():
            labels = {"channel": info.name}
            yield "ledger_blockchain_height", labels, float(info.height)
            if info.consensus_relation == "consenter":
                leads = orderer.leads(info.name)
                yield "consensus_etcdraft_is_leader", labels, float(leads)

    return Operations({"orderer.chains": failed}, {"orderer.leaders": leaderless}, gauges)


def _server_tls(tls: TlsSettings | None) -> ServerTls | None:
    if tls is None:
        return None
    roots = read_all(tls.client_root_cas)
    return ServerTls(tls.certificate.read_bytes(), tls.private_key.read_bytes(), roots or None)
