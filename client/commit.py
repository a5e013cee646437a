"""The fate of a submitted transaction (official SDKs: Commit, SubmittedTransaction, Status)."""

from __future__ import annotations

from dataclasses import dataclass

from gridloom.protos.gateway.gateway_pb2 import SignedCommitStatusRequest
from gridloom.protos.peer.transaction_pb2 import VALID

from .errors import code_name
from .session import Session


@dataclass(frozen=True, slots=True)
class Status:
    """How a transaction was committed: code is a TxValidationCode, VALID or not."""

    transaction_id: str
    code: int
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether it changed the ledger."""
        return self.code == VALID

    @property
    def name(self) -> str:
        """The code's name."""
        return code_name(self.code)


class Commit:
    """The request for a transaction's commit status."""

    def __init__(
        self, session: Session, transaction_id: str, signed: SignedCommitStatusRequest
    ) -> None:
        self._session = session
        self._signed = signed
        self.transaction_id = transaction_id

    @property
    def serialized(self) -> bytes:
        """Bytes that ``Gateway.new_commit`` turns into the same commit."""
        return self._signed.SerializeToString()

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the request."""
        return self._session.digest(self._signed.request)

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._signed.signature = signature

    async def get_status(self, *, timeout: float | None = None) -> Status:
        """Wait for the commit and return its status; CommitStatusError.

        timeout: seconds, instead of the gateway's.
        """
        if not self._signed.signature:
            self._signed.signature = self._session.signer.sign(self._signed.request)
        response = await self._session.commit_status(self._signed, self.transaction_id, timeout)
        return Status(self.transaction_id, response.result, response.block_number)


class SubmittedTransaction(Commit):
    """A commit that also knows what the transaction function returned."""

    def __init__(
        self,
        session: Session,
        transaction_id: str,
        signed: SignedCommitStatusRequest,
        result: bytes,
    ) -> None:
        super().__init__(session, transaction_id, signed)
        self.result = result
