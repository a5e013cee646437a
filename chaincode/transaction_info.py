"""What a transaction knows of itself: arguments, client, time (Fabric: shim/stub.go).

All but the arguments comes from the client's signed proposal and is therefore the same on
every endorsing peer.  It is read when first asked for: most transactions never do.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from functools import cached_property

from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import chaincode_pb2, proposal_pb2

from .errors import ChaincodeError
from .iterators import as_datetime
from .peer_link import PeerLink


class SignedProposalView:
    """The fields of a signed proposal that a chaincode may use."""

    def __init__(self, signed: proposal_pb2.SignedProposal) -> None:
        proposal = parse(proposal_pb2.Proposal, signed.proposal_bytes)
        header = parse(common_pb2.Header, proposal.header)
        self.channel_header = parse(common_pb2.ChannelHeader, header.channel_header)
        signature_header = parse(common_pb2.SignatureHeader, header.signature_header)
        self.creator = signature_header.creator
        self._nonce = signature_header.nonce
        self._payload = proposal.payload

    @property
    def transient(self) -> dict[str, bytes]:
        """Data for the endorsers that does not reach the ledger."""
        payload = parse(proposal_pb2.ChaincodeProposalPayload, self._payload)
        return dict(payload.TransientMap)

    @property
    def binding(self) -> bytes:
        """SHA-256 of nonce, creator and epoch."""
        epoch = self.channel_header.epoch.to_bytes(8, "little")
        return hashlib.sha256(self._nonce + self.creator + epoch).digest()


class TransactionInfo:
    """The part of the stub that asks nobody."""

    def __init__(
        self,
        link: PeerLink,
        input_: chaincode_pb2.ChaincodeInput,
        proposal: proposal_pb2.SignedProposal | None,
    ) -> None:
        self._link = link
        self._input = input_
        self._signed_proposal = proposal

    def get_tx_id(self) -> str:
        """Return the transaction's id."""
        return self._link.tx_id

    def get_channel_id(self) -> str:
        """Return the channel the transaction runs on; empty for a channel-less proposal."""
        return self._link.channel_id

    def get_args(self) -> list[bytes]:
        """Return all arguments, the function's name first."""
        return list(self._input.args)

    def get_string_args(self) -> list[str]:
        """Return all arguments as text; what is not UTF-8 shows as replacement characters."""
        return [arg.decode(errors="replace") for arg in self._input.args]

    def get_function_and_parameters(self) -> tuple[str, list[str]]:
        """Return the function's name and the other arguments, as text."""
        function, *parameters = self.get_string_args() or [""]
        return function, parameters

    def get_args_slice(self) -> bytes:
        """Return all arguments joined."""
        return b"".join(self._input.args)

    def get_decorations(self) -> dict[str, bytes]:
        """Return what the peer's decorators added to the input."""
        return dict(self._input.decorations)

    def is_init(self) -> bool:
        """Tell whether the client asked for the initialisation of the chaincode."""
        return self._input.is_init

    def get_signed_proposal(self) -> proposal_pb2.SignedProposal | None:
        """Return the client's signed proposal as it came; read-only."""
        return self._signed_proposal

    def get_creator(self) -> bytes:
        """Return the client's identity, a serialized msp.SerializedIdentity."""
        return self._proposal.creator

    def get_transient(self) -> dict[str, bytes]:
        """Return the transient data: seen by endorsers, never on the ledger."""
        return self._proposal.transient

    def get_tx_timestamp(self) -> datetime:
        """Return the client's time of the transaction (UTC): the only clock a contract has."""
        return as_datetime(self._proposal.channel_header.timestamp)

    def get_binding(self) -> bytes:
        """Return SHA-256 of nonce, creator and epoch: sign it to tie data to this transaction."""
        return self._proposal.binding

    def get_msp_id(self) -> str:
        """Return the MSP id of the peer that runs the chaincode; it differs between endorsers."""
        msp_id = self._link.parameters.msp_id or os.environ.get("CORE_PEER_LOCALMSPID", "")
        if not msp_id:
            raise ChaincodeError("'CORE_PEER_LOCALMSPID' is not set")
        return msp_id

    @cached_property
    def _proposal(self) -> SignedProposalView:
        if self._signed_proposal is None:
            raise ChaincodeError("the peer sent this transaction without its signed proposal")
        return SignedProposalView(self._signed_proposal)
