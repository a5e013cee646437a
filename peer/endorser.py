"""The endorser: checks a proposal, has it simulated, signs what came out.

What is wrong with the proposal itself is an RPC error; what goes wrong while it is processed
is an answer with status 500, and a client tells a chaincode's own error by the payload that
comes with it.  (Fabric: core/endorser, core/handlers/{auth,endorsement})
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.msp import Msp
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
)

from .acl import PEER_PROPOSE, AccessControl
from .chaincode_interest import chaincode_interest
from .chaincodes.host import ChaincodeHost
from .chaincodes.invocation import Invocation
from .chaincodes.lifecycle.endorsement_info import EndorsementInfo
from .ledger.ledger import Ledger
from .ledger.simulator import SimulationResults, TxSimulator
from .private_data.distribution import PrivateWrites
from .proposal import (
    ProposalRejected,
    UnpackedProposal,
    check_time,
    known_content,
    open_content,
    open_headers,
)

logger = logging.getLogger(__name__)

CHAINCODE_FAILED = 500
CHAINCODE_REFUSED = 400
_WITHOUT_SIMULATOR = frozenset({"qscc", "cscc"})


class EndorsementFailed(GridloomError):
    """A proposal that could not be processed; the message is what the client reads."""


class Elsewhere(GridloomError):
    """A proposal that this process cannot answer for its peer; the message says why."""


class PrivateOutlet(Protocol):
    """Where the cleartext of private writes goes; `ChannelPrivateData` is one."""

    def writes(self, private: TxPvtReadWriteSet, simulator: TxSimulator) -> list[PrivateWrites]: ...

    async def distribute(
        self, tx_id: str, writes: Sequence[PrivateWrites], height: int
    ) -> None: ...


class EndorserChannel(Protocol):
    """What the endorser needs of a joined channel; `peer.channel.PeerChannel` is one."""

    @property
    def bundle(self) -> ChannelBundle: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def private_data(self) -> PrivateOutlet | None: ...


class Endorser:
    """Implements protos.Endorser for one peer.

    signer: the peer's own identity; channels: by id, None for one the peer has not joined;
    time_window: how far a proposal's timestamp may be off.
    """

    def __init__(
        self,
        signer: Signer,
        local_msp: Msp,
        host: ChaincodeHost,
        *,
        channels: Callable[[str], EndorserChannel | None],
        access: AccessControl,
        now: Clock,
        time_window: timedelta,
    ) -> None:
        self._signer = signer
        self._local_msp = local_msp
        self._channels = channels
        self._host = host
        self._access = access
        self._now = now
        self._time_window = time_window

    async def process_proposal(
        self, request: proposal_pb2.SignedProposal, call: Call
    ) -> proposal_response_pb2.ProposalResponse:
        """Answer a signed proposal; RpcError (UNKNOWN) if the proposal itself is refused."""
        return await self._answer(request, endorsing=True)

    async def evaluate(
        self, request: proposal_pb2.SignedProposal
    ) -> proposal_response_pb2.ProposalResponse:
        """Answer in the same way, but sign nothing: for the gateway of this very peer.

        Where the chaincode succeeds the answer is its response alone.
        """
        return await self._answer(request, endorsing=False)

    async def _answer(
        self, request: proposal_pb2.SignedProposal, *, endorsing: bool
    ) -> proposal_response_pb2.ProposalResponse:
        try:
            proposal = self._open(request)
            channel = self._channels(proposal.channel_id) if proposal.channel_id else None
            if proposal.channel_id and channel is None:
                return _failure(f"channel '{proposal.channel_id}' not found")
            self._check(proposal, channel)
        except Elsewhere as error:
            raise RpcError(Code.UNIMPLEMENTED, str(error)) from error
        except GridloomError as error:
            logger.warning("refused a proposal: %s", error)
            raise RpcError(Code.UNKNOWN, str(error)) from error
        try:
            return await self._process(proposal, channel, endorsing)
        except Elsewhere as error:
            raise RpcError(Code.UNIMPLEMENTED, str(error)) from error
        except GridloomError as error:
            logger.warning(
                "failed to invoke %s, transaction %s: %s",
                proposal.chaincode_name,
                proposal.tx_id,
                error,
            )
            return _failure(str(error))

    def _open(self, signed: proposal_pb2.SignedProposal) -> UnpackedProposal:
        """Open a proposal; one of another time is refused before all of it has been read."""
        data = signed.proposal_bytes
        content = known_content(data)
        if content is not None:
            stamp = content.channel_header.timestamp
            check_time(content.creator, stamp, self._now(), self._time_window)
            return UnpackedProposal(signed, data, content)
        headers = open_headers(data)
        stamp = headers.channel.timestamp
        check_time(headers.signature.creator, stamp, self._now(), self._time_window)
        return UnpackedProposal(signed, data, open_content(data, headers))

    def _check(self, proposal: UnpackedProposal, channel: EndorserChannel | None) -> None:
        """Form, creator and signature; in a channel also uniqueness and the right to propose."""
        try:
            creator = proposal.check(channel.bundle.msp_manager if channel else self._local_msp)
        except ProposalRejected as error:
            raise ProposalRejected(f"error validating proposal: {error}") from error
        if channel is None:
            return
        if channel.ledger.has_transaction(proposal.tx_id):
            raise ProposalRejected(
                f"duplicate transaction found [{proposal.tx_id}]. "
                f"Creator [{proposal.content.creator.hex()}]"
            )
        if not self._host.is_system(proposal.chaincode_name):
            self._access.check_verified(
                PEER_PROPOSE, proposal.channel_id, creator, proposal.signed_data
            )

    async def _process(
        self, proposal: UnpackedProposal, channel: EndorserChannel | None, endorsing: bool
    ) -> proposal_response_pb2.ProposalResponse:
        if channel is None or proposal.chaincode_name in _WITHOUT_SIMULATOR:
            return await self._endorse(proposal, channel, None, endorsing)
        simulator = channel.ledger.simulator(proposal.tx_id)
        try:
            return await self._endorse(proposal, channel, simulator, endorsing)
        finally:
            simulator.done()

    async def _endorse(
        self,
        proposal: UnpackedProposal,
        channel: EndorserChannel | None,
        simulator: TxSimulator | None,
        endorsing: bool,
    ) -> proposal_response_pb2.ProposalResponse:
        info = self._info(proposal, simulator)
        try:
            response, event = await self._host.invoke(
                Invocation(
                    proposal.channel_id,
                    proposal.chaincode_name,
                    proposal.content.input,
                    proposal.signed,
                    proposal.tx_id,
                    simulator,
                ),
                info,
            )
            private = simulator is not None and simulator.writes_private_data
            if not endorsing and not private and response.status < CHAINCODE_REFUSED:
                return proposal_response_pb2.ProposalResponse(response=response)
            results = simulator.results() if simulator is not None else None
            interest = None
            if channel is not None and simulator is not None and results is not None:
                if response.status < CHAINCODE_REFUSED:
                    await _give_out(proposal.tx_id, channel, simulator, results)
                interest = chaincode_interest(results, self._host.is_system)
        except Elsewhere:
            raise
        except GridloomError as error:
            raise EndorsementFailed(f"error in simulation: {error}") from error
        failed = response.status >= CHAINCODE_FAILED
        if not failed and (channel is None or response.status >= CHAINCODE_REFUSED):
            return proposal_response_pb2.ProposalResponse(response=response)
        public = results.public if results is not None else b""
        payload = _payload(proposal, info.version, response, None if failed else event, public)
        return proposal_response_pb2.ProposalResponse(
            version=0 if failed else 1,
            endorsement=None if failed else self._sign(payload),
            payload=payload,
            response=response,
            interest=interest,
        )

    def _sign(self, payload: bytes) -> proposal_response_pb2.Endorsement:
        """This peer's endorsement (Fabric: the built-in plugin escc)."""
        endorser = self._signer.serialized
        return proposal_response_pb2.Endorsement(
            endorser=endorser, signature=self._signer.sign(payload + endorser)
        )

    def _info(self, proposal: UnpackedProposal, simulator: TxSimulator | None) -> EndorsementInfo:
        name, channel_id = proposal.chaincode_name, proposal.channel_id
        try:
            return self._host.endorsement_info(channel_id, name, simulator)
        except GridloomError as error:
            raise EndorsementFailed(
                f"make sure the chaincode {name} has been successfully defined "
                f"on channel {channel_id} and try again: {error}"
            ) from error


async def _give_out(
    tx_id: str, channel: EndorserChannel, simulator: TxSimulator, results: SimulationResults
) -> None:
    """Give the cleartext of private writes to those who have to have it before the commit."""
    if results.private is None or channel.private_data is None:
        return
    writes = channel.private_data.writes(results.private, simulator)
    simulator.done()
    await channel.private_data.distribute(tx_id, writes, channel.ledger.height)


def _payload(
    proposal: UnpackedProposal,
    version: str,
    response: proposal_response_pb2.Response,
    event: chaincode_event_pb2.ChaincodeEvent | None,
    results: bytes,
) -> bytes:
    """The bytes that every endorser of this proposal has to come to."""
    action = proposal_pb2.ChaincodeAction(
        results=results,
        events=event.SerializeToString() if event is not None else b"",
        response=response,
        chaincode_id=chaincode_pb2.ChaincodeID(name=proposal.chaincode_name, version=version),
    )
    return proposal_response_pb2.ProposalResponsePayload(
        proposal_hash=proposal.content.hash, extension=action.SerializeToString()
    ).SerializeToString()


def _failure(message: str) -> proposal_response_pb2.ProposalResponse:
    return proposal_response_pb2.ProposalResponse(
        response=proposal_response_pb2.Response(status=CHAINCODE_FAILED, message=message)
    )
