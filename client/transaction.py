"""An endorsed transaction (official SDKs: Transaction)."""

from __future__ import annotations

from gridloom.common.proposals import transaction_action
from gridloom.protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    PreparedTransaction,
    SignedCommitStatusRequest,
    SubmitRequest,
)

from .commit import SubmittedTransaction
from .session import Session


class Transaction:
    """A transaction that peers have endorsed and nobody has ordered yet."""

    def __init__(self, session: Session, channel_id: str, prepared: PreparedTransaction) -> None:
        self._session = session
        self._channel_id = channel_id
        self._prepared = prepared
        self._result: bytes | None = None

    @property
    def serialized(self) -> bytes:
        """Bytes that ``Gateway.new_transaction`` turns into the same transaction."""
        return self._prepared.SerializeToString()

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the transaction."""
        return self._session.digest(self._prepared.envelope.payload)

    @property
    def transaction_id(self) -> str:
        """The id of the transaction."""
        return self._prepared.transaction_id

    @property
    def result(self) -> bytes:
        """What the transaction function returned; MalformedMessage from a broken gateway."""
        if self._result is None:
            self._result = transaction_action(self._prepared.envelope).response.payload
        return self._result

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._prepared.envelope.signature = signature

    async def submit(self, *, timeout: float | None = None) -> SubmittedTransaction:
        """Send it to be ordered; SubmitError.

        timeout: seconds, instead of the gateway's.
        """
        envelope = self._prepared.envelope
        if not envelope.signature:
            envelope.signature = self._session.signer.sign(envelope.payload)
        await self._session.submit(
            SubmitRequest(
                transaction_id=self.transaction_id,
                channel_id=self._channel_id,
                prepared_transaction=envelope,
            ),
            timeout,
        )
        request = CommitStatusRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel_id,
            identity=self._session.signer.serialized,
        )
        signed = SignedCommitStatusRequest(request=request.SerializeToString())
        return SubmittedTransaction(self._session, self.transaction_id, signed, self.result)
