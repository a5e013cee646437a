"""A signed proposal, taken apart and checked (Fabric: core/endorser/msgvalidation.go).

The sentences of the errors are Fabric's, because clients and their tests match them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.certificates import parse_pem
from gridloom.common.channel.durations import render_duration
from gridloom.common.envelopes import proposal_hash, transaction_id, without_transient
from gridloom.common.errors import GridloomError
from gridloom.common.identities import IdentityError
from gridloom.common.memo import BoundedMemo
from gridloom.common.policies.policy import SignedData
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.msp import identities_pb2
from gridloom.protos.peer import chaincode_pb2, proposal_pb2

from .validation.block_validator import IdentityJudge

logger = logging.getLogger(__name__)

_NEVER = datetime.max.replace(tzinfo=UTC)
_expirations: BoundedMemo[bytes, datetime] = BoundedMemo(1 << 10)


class ProposalRejected(GridloomError):
    """A proposal that is not worth simulating; the message is what the client reads."""


@dataclass(frozen=True, slots=True)
class UnpackedProposal:
    """The parts of a signed proposal.

    input: arguments as sent; hash: SHA-256 that the endorsement speaks of.
    """

    signed: proposal_pb2.SignedProposal
    channel_header: common_pb2.ChannelHeader
    nonce: bytes
    creator: bytes
    chaincode_name: str
    input: chaincode_pb2.ChaincodeInput
    hash: bytes

    @property
    def channel_id(self) -> str:
        """The channel, "" for a proposal to the peer itself."""
        return self.channel_header.channel_id

    @property
    def tx_id(self) -> str:
        """The transaction id as claimed."""
        return self.channel_header.tx_id

    @property
    def signed_data(self) -> SignedData:
        """Who claims to have signed what."""
        return SignedData(self.signed.proposal_bytes, self.creator, self.signed.signature)

    def check(self, identities: IdentityJudge) -> None:
        """ProposalRejected unless headers, transaction id, creator and signature are right."""
        if self.channel_header.type not in (
            common_pb2.ENDORSER_TRANSACTION,
            common_pb2.CONFIG,  # as Fabric does, though it has no business here
        ):
            raise ProposalRejected(f"invalid header type {_type_name(self.channel_header.type)}")
        if self.channel_header.epoch != 0:
            raise ProposalRejected("epoch is non-zero")
        if not self.nonce:
            raise ProposalRejected("nonce is empty")
        if not self.creator:
            raise ProposalRejected("creator is empty")
        expected = transaction_id(self.nonce, self.creator)
        if self.tx_id != expected:
            raise ProposalRejected(
                f"incorrectly computed txid '{self.tx_id}' -- expected '{expected}'"
            )
        if not self.signed.signature:
            raise ProposalRejected("empty signature bytes")
        self._check_creator(identities)

    def _check_creator(self, identities: IdentityJudge) -> None:
        try:
            creator = identities.deserialize(self.creator)
        except IdentityError as error:
            logger.warning("access denied: %s", error)
            raise ProposalRejected(
                f"access denied: channel [{self.channel_id}] creator org unknown, "
                "creator is malformed"
            ) from error
        try:
            identities.validate(creator)
            creator.verify(self.signed.proposal_bytes, self.signed.signature)
        except IdentityError as error:
            logger.warning("access denied: %s", error)
            raise ProposalRejected(
                f"access denied: channel [{self.channel_id}] creator org [{creator.msp_id}]"
            ) from error


@dataclass(frozen=True, slots=True)
class ProposalHeaders:
    """The headers of a proposal, parsed and as received, and its payload still closed."""

    channel: common_pb2.ChannelHeader
    signature: common_pb2.SignatureHeader
    raw: common_pb2.Header
    payload: bytes


def open_headers(signed: proposal_pb2.SignedProposal) -> ProposalHeaders:
    """Open the proposal as far as its headers; MalformedMessage names what does not parse."""
    failed = "failed parsing"
    proposal = parse(
        proposal_pb2.Proposal, signed.proposal_bytes, f"{failed} proposal: error unmarshalling"
    )
    header = parse(common_pb2.Header, proposal.header, f"{failed} header: error unmarshalling")
    signer = parse(
        common_pb2.SignatureHeader,
        header.signature_header,
        f"{failed} signature header: error unmarshalling",
    )
    channel = parse(
        common_pb2.ChannelHeader,
        header.channel_header,
        f"{failed} channel header: error unmarshalling",
    )
    return ProposalHeaders(channel, signer, header, proposal.payload)


def unpack_proposal(
    signed: proposal_pb2.SignedProposal, headers: ProposalHeaders
) -> UnpackedProposal:
    """Open what is left; MalformedMessage or ProposalRejected names what is missing."""
    extension = parse(
        proposal_pb2.ChaincodeHeaderExtension,
        headers.channel.extension,
        "error unmarshalling ChaincodeHeaderExtension",
    )
    if not extension.HasField("chaincode_id"):
        raise ProposalRejected("ChaincodeHeaderExtension.ChaincodeId is nil")
    if not extension.chaincode_id.name:
        raise ProposalRejected("ChaincodeHeaderExtension.ChaincodeId.Name is empty")
    raw = headers.raw
    payload_for_hash = without_transient(headers.payload)
    return UnpackedProposal(
        signed=signed,
        channel_header=headers.channel,
        nonce=headers.signature.nonce,
        creator=headers.signature.creator,
        chaincode_name=extension.chaincode_id.name,
        input=_input(headers.payload),
        hash=proposal_hash(raw.channel_header, raw.signature_header, payload_for_hash),
    )


def _input(payload: bytes) -> chaincode_pb2.ChaincodeInput:
    proposal = parse(
        proposal_pb2.ChaincodeProposalPayload,
        payload,
        "error unmarshalling ChaincodeProposalPayload",
    )
    invocation = parse(
        chaincode_pb2.ChaincodeInvocationSpec,
        proposal.input,
        "error unmarshalling ChaincodeInvocationSpec",
    )
    if not invocation.HasField("chaincode_spec"):
        raise ProposalRejected("chaincode invocation spec did not contain chaincode spec")
    if not invocation.chaincode_spec.HasField("input"):
        raise ProposalRejected("chaincode input did not contain any input")
    return invocation.chaincode_spec.input


def check_time(headers: ProposalHeaders, now: datetime, window: timedelta) -> None:
    """ProposalRejected when the creator has expired or the clocks differ by over ``window``.

    (Fabric: core/handlers/auth/filter, expiration.go and timewindow.go)
    """
    if now > expires_at(headers.signature.creator):
        raise ProposalRejected("proposal client identity expired")
    stamp = headers.channel.timestamp
    ahead = _nanoseconds(stamp) - int(now.timestamp() * 1_000_000) * 1_000
    if abs(ahead) > window / timedelta(microseconds=1) * 1_000:
        raise ProposalRejected(
            f"request unauthorized due to incorrect timestamp {_rfc3339(stamp)}, "
            f"peer time {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, "
            f"peer.authentication.timewindow {render_duration(window)}"
        )


def expires_at(creator: bytes) -> datetime:
    """When a serialized identity expires; the end of time when that cannot be read."""
    found = _expirations.get(creator)
    if found is None:
        try:
            identity = parse(identities_pb2.SerializedIdentity, creator)
            found = parse_pem(identity.id_bytes).not_after
        except GridloomError:
            found = _NEVER
        _expirations.put(creator, found)
    return found


def _nanoseconds(stamp: Timestamp) -> int:
    return stamp.seconds * 1_000_000_000 + stamp.nanos


def _rfc3339(stamp: Timestamp) -> str:
    try:
        return f"{stamp.ToDatetime():%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError):
        return f"{stamp.seconds} s"


def _type_name(header_type: int) -> str:
    try:
        return common_pb2.HeaderType.Name(header_type)  # type: ignore[arg-type]
    except ValueError:
        return str(header_type)
