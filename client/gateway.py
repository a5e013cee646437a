"""A client's connection: one identity, one gateway peer (official SDKs: Gateway)."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gridloom.common.rpc import Channel
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import grpc_channel
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block, ChannelHeader, Header
from gridloom.protos.common.common_pb2 import Payload as EnvelopePayload
from gridloom.protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    PreparedTransaction,
    ProposedTransaction,
    SignedCommitStatusRequest,
)
from gridloom.protos.peer.events_pb2 import BlockAndPrivateData, FilteredBlock
from gridloom.protos.peer.proposal_pb2 import Proposal as ProposalMessage

from .blocks import FILTERED, FULL, WITH_PRIVATE_DATA, B, BlockEvents, Delivery
from .chaincode_events import ChaincodeEvents
from .commit import Commit
from .identity import Identity, OfflineSigner, Signer, sha256
from .network import Network
from .proposal import Proposal
from .session import Session, Timeouts
from .transaction import Transaction

__all__ = ["Gateway", "Timeouts"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Gateway:
    """Submits, evaluates and listens as one identity through one peer.

    >>> async with Gateway(channel, signer) as gateway:
    ...     contract = gateway.get_network("mychannel").get_contract("basic")
    ...     print(await contract.evaluate_transaction("GetAllAssets"))

    channel: to the peer, see ``common.rpc``; several gateways may share one.
    signer: who signs; an :class:`Identity` alone for offline signing only.
    """

    def __init__(
        self,
        channel: Channel,
        signer: Signer | Identity,
        *,
        timeouts: Timeouts | None = None,
        now: Callable[[], datetime] = _utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        tls_certificate_hash: bytes = b"",
        digest: Callable[[bytes], bytes] = sha256,
    ) -> None:
        if isinstance(signer, Identity):
            signer = OfflineSigner(signer)
        self._session = Session(
            channel=channel,
            signer=signer,
            timeouts=timeouts or Timeouts(),
            now=now,
            random_bytes=random_bytes,
            tls_certificate_hash=tls_certificate_hash,
            digest=digest,
        )
        self._owns_channel = False

    @classmethod
    def connect(
        cls,
        target: str,
        signer: Signer | Identity,
        tls: ClientTls | None = None,
        *,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """Return a gateway over a gRPC channel of its own to ``target`` (``host:port``).

        tls: with a client certificate, block events are bound to it as mutual TLS demands.
        """
        bound = certificate_hash(tls.certificate) if tls and tls.certificate else b""
        channel = grpc_channel(target, tls)
        gateway = cls(channel, signer, timeouts=timeouts, tls_certificate_hash=bound)
        gateway._owns_channel = True
        return gateway

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release what ``connect`` opened; a channel passed in stays open."""
        if self._owns_channel:
            await self._session.channel.close()

    @property
    def identity(self) -> bytes:
        """The serialized identity that signs."""
        return self._session.signer.serialized

    def get_network(self, name: str) -> Network:
        """Return the channel called ``name``."""
        return Network(self._session, name)

    @property
    def channel(self) -> Channel:
        """What connects it to its peer."""
        return self._session.channel

    def new_signed_proposal(self, data: bytes, signature: bytes) -> Proposal:
        """Return a proposal from its bytes and a signature over its digest made elsewhere."""
        proposal = self.new_proposal(data)
        proposal.set_signature(signature)
        return proposal

    def new_proposal(self, data: bytes) -> Proposal:
        """Return a proposal from the bytes of another (``Proposal.serialized``)."""
        proposed = parse(ProposedTransaction, data, "proposed transaction")
        message = parse(ProposalMessage, proposed.proposal.proposal_bytes, "proposal")
        header = parse(Header, message.header, "proposal header")
        channel = parse(ChannelHeader, header.channel_header, "channel header")
        return Proposal(self._session, channel.channel_id, proposed)

    def new_signed_transaction(self, data: bytes, signature: bytes) -> Transaction:
        """Return a transaction from its bytes and a signature made elsewhere."""
        transaction = self.new_transaction(data)
        transaction.set_signature(signature)
        return transaction

    def new_transaction(self, data: bytes) -> Transaction:
        """Return a transaction from the bytes of another (``Transaction.serialized``)."""
        prepared = parse(PreparedTransaction, data, "prepared transaction")
        payload = parse(EnvelopePayload, prepared.envelope.payload, "payload")
        channel = parse(ChannelHeader, payload.header.channel_header, "channel header")
        return Transaction(self._session, channel.channel_id, prepared)

    def new_signed_commit(self, data: bytes, signature: bytes) -> Commit:
        """Return a commit from its bytes and a signature made elsewhere."""
        commit = self.new_commit(data)
        commit.set_signature(signature)
        return commit

    def new_commit(self, data: bytes) -> Commit:
        """Return a commit from the bytes of another (``Commit.serialized``)."""
        signed = parse(SignedCommitStatusRequest, data, "signed commit status request")
        request = parse(CommitStatusRequest, signed.request, "commit status request")
        return Commit(self._session, request.transaction_id, signed)

    def new_signed_chaincode_events(self, data: bytes, signature: bytes) -> ChaincodeEvents:
        """Return a request for events from its bytes and a signature made elsewhere."""
        events = ChaincodeEvents.read(self._session, data)
        events.set_signature(signature)
        return events

    def new_signed_block_events(self, data: bytes, signature: bytes) -> BlockEvents[Block]:
        """Return a request for blocks from its bytes and a signature made elsewhere."""
        return self._blocks(FULL, data, signature)

    def new_signed_filtered_block_events(
        self, data: bytes, signature: bytes
    ) -> BlockEvents[FilteredBlock]:
        """The same for filtered blocks."""
        return self._blocks(FILTERED, data, signature)

    def new_signed_block_and_private_data_events(
        self, data: bytes, signature: bytes
    ) -> BlockEvents[BlockAndPrivateData]:
        """The same for blocks with private data."""
        return self._blocks(WITH_PRIVATE_DATA, data, signature)

    def _blocks(self, delivery: Delivery[B], data: bytes, signature: bytes) -> BlockEvents[B]:
        events = BlockEvents.read(self._session, delivery, data)
        events.set_signature(signature)
        return events


def certificate_hash(certificate: bytes) -> bytes:
    """Return the SHA-256 of a certificate in PEM, by which mutual TLS binds requests."""
    parsed = x509.load_pem_x509_certificate(certificate)
    return sha256(parsed.public_bytes(Encoding.DER))
