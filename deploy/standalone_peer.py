"""A peer from its own core.yaml (Fabric: internal/peer/node/start.go)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gridloom.common.blocks import channel_id
from gridloom.common.certificates import parse_pem
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.msp_directory import load_msp, load_signing_identity
from gridloom.common.operations import Operations, operations_server
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.rpc.transport import grpc_server
from gridloom.common.wire import parse
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.lifecycle.store import FilePackageStore
from gridloom.peer.chaincodes.runtime import ChaincodeLauncher
from gridloom.peer.chaincodes.service_launcher import ServiceLauncher
from gridloom.peer.discovery.gossip_directory import GossipDirectory
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.node import Peer
from gridloom.peer.settings import load_settings
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig

from .packaging import PYTHON, SERVICE
from .python_chaincode import PythonLauncher
from .standalone import Links, Server, read_all, read_block


class StandalonePeer:
    """One peer and its ports, as a folder with core.yaml describes them.

    join: files of first blocks, each of a channel to join unless it was joined before.
    InvalidSetting, MspDirectoryError, ConfigError.
    """

    def __init__(
        self,
        config_dir: Path,
        environment: Mapping[str, str],
        join: Sequence[Path] = (),
        *,
        development: bool = False,
    ) -> None:
        self.settings = settings = load_settings(config_dir, environment)
        signer = load_signing_identity(settings.msp_dir, settings.msp_id)
        self._links = Links(self._client_tls)
        tls_certificate = None
        if settings.tls is not None:
            tls_certificate = parse_pem(settings.tls.certificate.read_bytes()).raw
        self._directory = GossipDirectory(
            self._links, lambda: secrets.randbits(64), bootstrap=settings.bootstrap
        )
        launchers: dict[str, ChaincodeLauncher] = {
            PYTHON: PythonLauncher(settings.msp_id, development=development),
            SERVICE: ServiceLauncher(),
        }
        self.peer = Peer(
            signer,
            load_msp(settings.msp_dir, settings.msp_id),
            LedgerProvider(
                settings.ledger_url or settings.data_dir / "ledgers",
                settings.snapshots_dir,
                owner=settings.peer_id,
                state_database=settings.state_database,
            ),
            ChaincodeHost(FilePackageStore(settings.data_dir / "packages"), launchers),
            orderers=self._links,
            peers=self._directory,
            settings=settings,
            tls_certificate=tls_certificate,
            random_bytes=os.urandom,
        )
        for path in join:
            block = read_block(path)
            if channel_id(block) not in self.peer.channel_ids():
                self.peer.join(block)
        local = LocalChannel(self.peer.services())
        self._own = PeerInfo(settings.msp_id, settings.address, signer.serialized, local)
        self.servers = self._servers()

    async def start(self) -> None:
        """Start pulling blocks and looking for other peers."""
        self._directory.start(self.peer, self._own)
        await self.peer.start()

    async def stop(self) -> None:
        """Stop the peer."""
        await self._directory.stop()
        await self.peer.stop()
        await self._links.close()

    def _servers(self) -> list[Server]:
        settings, tls = self.settings, None
        if settings.tls is not None:
            roots = read_all(settings.tls.client_roots)
            own = settings.tls
            tls = ServerTls(own.certificate.read_bytes(), own.key.read_bytes(), roots or None)
        servers: list[Server] = [grpc_server(self.peer.services(), settings.listen_address, tls)]
        if settings.operations.listen_address:
            servers.append(operations_server(settings.operations, peer_operations(self.peer)))
        return servers

    def _client_tls(self) -> ClientTls | None:
        """With what orderers and other peers are called: their organizations' TLS CAs."""
        if self.settings.tls is None:
            return None
        own = self.settings.tls
        roots = {own.root_certificate.read_bytes()}
        for channel in map(self.peer.channel, self.peer.channel_ids()):
            if channel is not None:
                roots |= set(_tls_roots(channel.bundle))
        joined = b"".join(sorted(roots))
        return ClientTls(joined, own.certificate.read_bytes(), own.key.read_bytes())


def _tls_roots(bundle: ChannelBundle) -> Iterable[bytes]:
    """PEM of the TLS CAs of every organization of a channel."""
    configs = [org.msp_config for org in bundle.orderer.orgs.values()]
    configs += [org.msp_config for org in bundle.application.orgs.values()]
    for config in configs:
        msp = parse(FabricMSPConfig, config.config, "FabricMSPConfig")
        yield from msp.tls_root_certs
        yield from msp.tls_intermediate_certs


def peer_operations(peer: Peer) -> Operations:
    """What the operations service tells of a peer.

    Healthy: no channel has stopped at a block; ready: some channel has been joined.
    """

    def stopped() -> str:
        channels = (peer.channel(name) for name in peer.channel_ids())
        return "; ".join(str(c.failure) for c in channels if c is not None and c.failure)

    def idle() -> str:
        return "" if peer.channel_ids() else "no channel has been joined"

    def gauges() -> Iterable[tuple[str, Mapping[str, str], float]]:
        for name in peer.channel_ids():
            channel = peer.channel(name)
            if channel is not None:
                yield "ledger_blockchain_height", {"channel": name}, float(channel.height)

    return Operations({"peer.channels": stopped}, {"peer.channels": idle}, gauges)
