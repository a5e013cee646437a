"""Invoking chaincodes without a gateway: propose, broadcast, wait for the block.

(Fabric: internal/peer/chaincode/common.go and internal/peer/common/broadcastclient.go.)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from google.protobuf.message import Message

from gridloom.common.envelopes import (
    NEVER,
    NEWEST,
    NONCE_LENGTH,
    seek_envelope,
)
from gridloom.common.errors import GridloomError
from gridloom.common.proposals import assemble_transaction, new_proposal
from gridloom.common.rpc import Channel
from gridloom.protos.common.common_pb2 import Envelope, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, SeekInfo
from gridloom.protos.peer.events_pb2 import DeliverResponse
from gridloom.protos.peer.proposal_pb2 import Proposal, SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse, Response
from gridloom.protos.peer.transaction_pb2 import VALID

from ..errors import CommitError
from ..identity import Signer

SUCCESS_BELOW = 400
"""Statuses from here on are failures of a proposal (Fabric: shim.ERRORTHRESHOLD)."""


class EndorsementError(GridloomError):
    """A peer refused a proposal: status and message are those of its response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"proposal failed with status {status}: {message}")
        self.status = status
        self.message = message


class BroadcastError(GridloomError):
    """The orderer refused an envelope: status is a common.Status, info its explanation."""

    def __init__(self, status: int, info: str) -> None:
        name = Status.Name(Status.ValueType(status)) if status in Status.values() else str(status)
        super().__init__(f"the orderer answered {name}: {info}")
        self.status = status
        self.info = info


class DeliverError(GridloomError):
    """A peer ended the stream of blocks that a commit was to be seen in."""

    def __init__(self, status: int) -> None:
        name = Status.Name(Status.ValueType(status)) if status in Status.values() else str(status)
        super().__init__(f"delivery of blocks ended with status {name}")
        self.status = status


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Invocation:
    """Invokes chaincodes as one identity.

    A peer or orderer that cannot be reached, and a peer that refuses a proposal as such, raise
    RpcError; what goes wrong in simulating one is EndorsementError.
    now: the time for headers, timezone-aware; random_bytes: source of nonces;
    timeout: seconds for a proposal, and for the commit of a transaction;
    tls_certificate_hash: SHA-256 of the client's TLS certificate, under mutual TLS.
    """

    def __init__(
        self,
        signer: Signer,
        *,
        now: Callable[[], datetime] = _utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        timeout: float = 30.0,
        tls_certificate_hash: bytes = b"",
    ) -> None:
        self.signer = signer
        self._tls_certificate_hash = tls_certificate_hash
        self._now = now
        self._random_bytes = random_bytes
        self._timeout = timeout

    async def query(
        self, peer: Channel, channel_id: str, chaincode: str, *arguments: bytes
    ) -> Response:
        """Run a function on one peer; EndorsementError if it answers with a failure.

        channel_id: empty for functions outside any channel.
        """
        proposal, _ = self._propose(channel_id, chaincode, arguments)
        return (await self._endorse(peer, proposal)).response

    async def submit(
        self,
        peers: Sequence[Channel],
        orderer: Channel,
        channel_id: str,
        chaincode: str,
        *arguments: bytes,
        transient: Mapping[str, bytes] | None = None,
        is_init: bool = False,
    ) -> tuple[str, Response]:
        """Endorse on ``peers``, order, and wait until the first of them has committed it.

        Return the transaction id and the response.  EndorsementError, BroadcastError,
        CommitError; TimeoutError when no block brings it in time.
        is_init: this is the call that a definition with init_required waits for.
        """
        proposal, tx_id = self._propose(channel_id, chaincode, arguments, transient, is_init)
        responses = await asyncio.gather(*(self._endorse(peer, proposal) for peer in peers))
        envelope = assemble_transaction(proposal, responses)
        envelope.signature = self.signer.sign(envelope.payload)
        async with aclosing(self._filtered_blocks(peers[0], channel_id)) as blocks:
            await anext(blocks)  # the newest block: from here on nothing can be missed
            await self.broadcast(orderer, envelope)
            async with asyncio.timeout(self._timeout):
                code = await _committed(blocks, tx_id)
        if code != VALID:
            raise CommitError(tx_id, code)
        return tx_id, responses[0].response

    async def broadcast(self, orderer: Channel, envelope: Envelope) -> None:
        """Send an envelope to be ordered; BroadcastError unless it is accepted."""
        responses = orderer.stream(
            "/orderer.AtomicBroadcast/Broadcast", _once(envelope), BroadcastResponse,
            timeout=self._timeout,
        )  # fmt: skip
        async with aclosing(responses):
            response = await anext(responses, BroadcastResponse(info="no answer"))
        if response.status != Status.SUCCESS:
            raise BroadcastError(response.status, response.info)

    def _propose(
        self,
        channel_id: str,
        chaincode: str,
        arguments: Sequence[bytes],
        transient: Mapping[str, bytes] | None = None,
        is_init: bool = False,
    ) -> tuple[Proposal, str]:
        return new_proposal(
            channel_id,
            chaincode,
            arguments,
            self.signer.serialized,
            self._random_bytes(NONCE_LENGTH),
            self._now(),
            transient=transient,
            is_init=is_init,
        )

    async def _endorse(self, peer: Channel, proposal: Proposal) -> ProposalResponse:
        data = proposal.SerializeToString()
        response = await peer.unary(
            "/protos.Endorser/ProcessProposal",
            SignedProposal(proposal_bytes=data, signature=self.signer.sign(data)),
            ProposalResponse,
            timeout=self._timeout,
        )
        if not 0 < response.response.status < SUCCESS_BELOW:
            raise EndorsementError(response.response.status, response.response.message)
        return response

    async def _filtered_blocks(
        self, peer: Channel, channel_id: str
    ) -> AsyncGenerator[DeliverResponse, None]:
        seek = seek_envelope(
            channel_id,
            NEWEST,
            NEVER,
            SeekInfo.BLOCK_UNTIL_READY,
            self.signer,
            self._now,
            self._random_bytes(NONCE_LENGTH),
            tls_cert_hash=self._tls_certificate_hash,
        )
        responses = peer.stream("/protos.Deliver/DeliverFiltered", _and_wait(seek), DeliverResponse)
        async with aclosing(responses):
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    raise DeliverError(response.status)
                yield response


async def _committed(blocks: AsyncGenerator[DeliverResponse, None], tx_id: str) -> int:
    async for response in blocks:
        for transaction in response.filtered_block.filtered_transactions:
            if transaction.txid == tx_id:
                return transaction.tx_validation_code
    raise DeliverError(Status.UNKNOWN)


async def _once(envelope: Envelope) -> AsyncIterator[Message]:
    yield envelope


async def _and_wait(envelope: Envelope) -> AsyncIterator[Message]:
    yield envelope
    await asyncio.Event().wait()
