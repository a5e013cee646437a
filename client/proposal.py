"""A transaction proposal (official SDKs: Proposal)."""

from __future__ import annotations

from gridloom.protos.gateway.gateway_pb2 import (
    EndorseRequest,
    EvaluateRequest,
    PreparedTransaction,
    ProposedTransaction,
)

from .session import Session
from .transaction import Transaction


class Proposal:
    """A call of a transaction function, not yet endorsed.

    It is signed when it is first used, unless ``set_signature`` came before.
    """

    def __init__(self, session: Session, channel_id: str, proposed: ProposedTransaction) -> None:
        self._session = session
        self._channel_id = channel_id
        self._proposed = proposed

    @property
    def serialized(self) -> bytes:
        """Bytes that ``Gateway.new_proposal`` turns into the same proposal."""
        return self._proposed.SerializeToString()

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the proposal."""
        return self._session.digest(self._proposed.proposal.proposal_bytes)

    @property
    def transaction_id(self) -> str:
        """The id the transaction will have."""
        return self._proposed.transaction_id

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._proposed.proposal.signature = signature

    async def evaluate(self, *, timeout: float | None = None) -> bytes:
        """Run it on one peer and return the result; GatewayError.

        timeout: seconds, instead of the gateway's.
        """
        self._sign()
        response = await self._session.evaluate(
            EvaluateRequest(
                transaction_id=self.transaction_id,
                channel_id=self._channel_id,
                proposed_transaction=self._proposed.proposal,
                target_organizations=self._proposed.endorsing_organizations,
            ),
            timeout,
        )
        return response.result.payload

    async def endorse(self, *, timeout: float | None = None) -> Transaction:
        """Collect the endorsements the policy demands; EndorseError.

        timeout: seconds, instead of the gateway's.
        """
        self._sign()
        response = await self._session.endorse(
            EndorseRequest(
                transaction_id=self.transaction_id,
                channel_id=self._channel_id,
                proposed_transaction=self._proposed.proposal,
                endorsing_organizations=self._proposed.endorsing_organizations,
            ),
            timeout,
        )
        prepared = PreparedTransaction(
            transaction_id=self.transaction_id, envelope=response.prepared_transaction
        )
        return Transaction(self._session, self._channel_id, prepared)

    def _sign(self) -> None:
        signed = self._proposed.proposal
        if not signed.signature:
            signed.signature = self._session.signer.sign(signed.proposal_bytes)
