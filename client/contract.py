"""A chaincode as a client sees it (official SDKs: Contract)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.common.envelopes import NONCE_LENGTH
from gridloom.common.proposals import new_proposal
from gridloom.protos.gateway.gateway_pb2 import ProposedTransaction
from gridloom.protos.peer.proposal_pb2 import SignedProposal

from .commit import SubmittedTransaction
from .errors import CommitError
from .proposal import Proposal
from .session import Session

Argument = str | bytes


class Contract:
    """Transaction functions of one chaincode, or of one contract inside it.

    Arguments are text or bytes; results are bytes.  GatewayError, EndorseError,
    SubmitError, CommitStatusError and CommitError say which step failed.
    """

    def __init__(
        self, session: Session, channel_id: str, chaincode_name: str, contract_name: str = ""
    ) -> None:
        self._session = session
        self._channel_id = channel_id
        self.chaincode_name = chaincode_name
        self.contract_name = contract_name

    async def evaluate_transaction(self, name: str, *arguments: Argument) -> bytes:
        """Run a function on one peer and return its result; nothing is recorded."""
        return await self.evaluate(name, arguments)

    async def submit_transaction(self, name: str, *arguments: Argument) -> bytes:
        """Endorse, order and commit a transaction, and return the function's result."""
        return await self.submit(name, arguments)

    async def evaluate(
        self,
        name: str,
        arguments: Sequence[Argument] = (),
        *,
        transient: Mapping[str, Argument] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> bytes:
        """As evaluate_transaction, with transient data and the organisations to ask."""
        proposal = self.new_proposal(
            name, arguments, transient=transient, endorsing_organizations=endorsing_organizations
        )
        return await proposal.evaluate()

    async def submit(
        self,
        name: str,
        arguments: Sequence[Argument] = (),
        *,
        transient: Mapping[str, Argument] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> bytes:
        """As submit_transaction, with transient data and the organisations to ask."""
        submitted = await self.submit_async(
            name, arguments, transient=transient, endorsing_organizations=endorsing_organizations
        )
        status = await submitted.get_status()
        if not status.successful:
            raise CommitError(status.transaction_id, status.code)
        return submitted.result

    async def submit_async(
        self,
        name: str,
        arguments: Sequence[Argument] = (),
        *,
        transient: Mapping[str, Argument] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> SubmittedTransaction:
        """Endorse and order a transaction; its status is asked for on what comes back."""
        proposal = self.new_proposal(
            name, arguments, transient=transient, endorsing_organizations=endorsing_organizations
        )
        transaction = await proposal.endorse()
        return await transaction.submit()

    def new_proposal(
        self,
        name: str,
        arguments: Sequence[Argument] = (),
        *,
        transient: Mapping[str, Argument] | None = None,
        endorsing_organizations: Sequence[str] = (),
    ) -> Proposal:
        """Return a proposal, to go through its steps one by one or to sign it elsewhere.

        TypeError for a bare string, which would else count as one argument per character.
        """
        if isinstance(arguments, str | bytes):
            raise TypeError(f"arguments must be a sequence of them, not {arguments!r}")
        qualified = f"{self.contract_name}:{name}" if self.contract_name else name
        session = self._session
        message, transaction_id = new_proposal(
            self._channel_id,
            self.chaincode_name,
            [_bytes(argument) for argument in (qualified, *arguments)],
            session.signer.serialized,
            session.random_bytes(NONCE_LENGTH),
            session.now(),
            transient={key: _bytes(value) for key, value in (transient or {}).items()},
        )
        proposed = ProposedTransaction(
            transaction_id=transaction_id,
            proposal=SignedProposal(proposal_bytes=message.SerializeToString()),
            endorsing_organizations=endorsing_organizations,
        )
        return Proposal(session, self._channel_id, proposed)


def _bytes(argument: Argument) -> bytes:
    return argument.encode() if isinstance(argument, str) else argument
