"""A signed proposal, taken apart and checked (Fabric: core/endorser/msgvalidation.go).

The sentences of the errors are Fabric's, because clients and their tests match them.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.certificates import parse_pem
from gridloom.common.channel.durations import render_duration
from gridloom.common.envelopes import proposal_hash, transaction_id
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, IdentityError
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

LARGEST_REMEMBERED = 1 << 14
"""Bytes of a proposal whose content is remembered.

One proposal is opened by the gateway and by each endorser of this process, so a few are enough.
"""
_contents: BoundedMemo[bytes, ProposalContent] = BoundedMemo(1 << 8)


class ProposalRejected(GridloomError):
    """A proposal that is not worth simulating; the message is what the client reads."""


class ProposalContent(NamedTuple):
    """What stands in a proposal's bytes; messages are read-only, they are remembered.

    header: parsed; input: arguments as sent; called: the chaincode as the invocation names it;
    bare_payload: what becomes part of the transaction, without transient data; hash: SHA-256
    that the endorsement speaks of.
    """

    header: common_pb2.Header
    channel_header: common_pb2.ChannelHeader
    channel_id: str
    tx_id: str
    nonce: bytes
    creator: bytes
    chaincode_name: str
    called: str
    input: chaincode_pb2.ChaincodeInput
    has_transient_data: bool
    bare_payload: bytes
    hash: bytes


class UnpackedProposal(NamedTuple):
    """A signed proposal and what is in it; data: its bytes."""

    signed: proposal_pb2.SignedProposal
    data: bytes
    content: ProposalContent

    @property
    def channel_id(self) -> str:
        """The channel, "" for a proposal to the peer itself."""
        return self.content.channel_id

    @property
    def tx_id(self) -> str:
        """The transaction id as claimed."""
        return self.content.tx_id

    @property
    def chaincode_name(self) -> str:
        """The chaincode that is to run."""
        return self.content.chaincode_name

    @property
    def signed_data(self) -> SignedData:
        """Who claims to have signed what."""
        return SignedData(self.data, self.content.creator, self.signed.signature)

    def check(self, identities: IdentityJudge) -> Identity:
        """Return who made it, who is valid and has signed it; ProposalRejected otherwise.

        Headers and transaction id are checked before.
        """
        content = self.content
        if content.channel_header.type not in (
            common_pb2.ENDORSER_TRANSACTION,
            common_pb2.CONFIG,  # as Fabric does, though it has no business here
        ):
            raise ProposalRejected(f"invalid header type {_type_name(content.channel_header.type)}")
        if content.channel_header.epoch != 0:
            raise ProposalRejected("epoch is non-zero")
        if not content.nonce:
            raise ProposalRejected("nonce is empty")
        if not content.creator:
            raise ProposalRejected("creator is empty")
        expected = transaction_id(content.nonce, content.creator)
        if content.tx_id != expected:
            raise ProposalRejected(
                f"incorrectly computed txid '{content.tx_id}' -- expected '{expected}'"
            )
        if not self.signed.signature:
            raise ProposalRejected("empty signature bytes")
        return self._check_creator(identities)

    def _check_creator(self, identities: IdentityJudge) -> Identity:
        try:
            creator = identities.deserialize(self.content.creator)
        except IdentityError as error:
            logger.warning("access denied: %s", error)
            raise ProposalRejected(
                f"access denied: channel [{self.channel_id}] creator org unknown, "
                "creator is malformed"
            ) from error
        try:
            identities.validate(creator)
            creator.verify(self.data, self.signed.signature)
        except IdentityError as error:
            logger.warning("access denied: %s", error)
            raise ProposalRejected(
                f"access denied: channel [{self.channel_id}] creator org [{creator.msp_id}]"
            ) from error
        return creator


class ProposalHeaders(NamedTuple):
    """The headers of a proposal, parsed and as received, and its payload still closed."""

    channel: common_pb2.ChannelHeader
    signature: common_pb2.SignatureHeader
    raw: common_pb2.Header
    payload: bytes


def open_headers(data: bytes) -> ProposalHeaders:
    """Open a proposal as far as its headers; MalformedMessage names what does not parse."""
    failed = "failed parsing"
    proposal = parse(proposal_pb2.Proposal, data, f"{failed} proposal: error unmarshalling")
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


def destination(data: bytes) -> tuple[str, str]:
    """Channel and chaincode as a proposal's header names them, "" for none; MalformedMessage."""
    proposal = parse(proposal_pb2.Proposal, data)
    header = parse(common_pb2.Header, proposal.header)
    channel = parse(common_pb2.ChannelHeader, header.channel_header)
    extension = parse(proposal_pb2.ChaincodeHeaderExtension, channel.extension)
    return channel.channel_id, extension.chaincode_id.name


def known_content(data: bytes) -> ProposalContent | None:
    """Return what is in a proposal that was opened lately."""
    return _contents.get(data)


def open_content(data: bytes, headers: ProposalHeaders) -> ProposalContent:
    """Open what is left and remember it; MalformedMessage or ProposalRejected says what lacks."""
    extension = parse(
        proposal_pb2.ChaincodeHeaderExtension,
        headers.channel.extension,
        "error unmarshalling ChaincodeHeaderExtension",
    )
    if not extension.HasField("chaincode_id"):
        raise ProposalRejected("ChaincodeHeaderExtension.ChaincodeId is nil")
    if not extension.chaincode_id.name:
        raise ProposalRejected("ChaincodeHeaderExtension.ChaincodeId.Name is empty")
    what = "error unmarshalling ChaincodeProposalPayload"
    payload = parse(proposal_pb2.ChaincodeProposalPayload, headers.payload, what)
    spec = _invoked(payload)
    raw, channel = headers.raw, headers.channel
    bare = proposal_pb2.ChaincodeProposalPayload(input=payload.input).SerializeToString()
    content = ProposalContent(
        header=raw,
        channel_header=channel,
        channel_id=channel.channel_id,
        tx_id=channel.tx_id,
        nonce=headers.signature.nonce,
        creator=headers.signature.creator,
        chaincode_name=extension.chaincode_id.name,
        called=spec.chaincode_id.name,
        input=spec.input,
        has_transient_data=bool(payload.TransientMap),
        bare_payload=bare,
        hash=proposal_hash(raw.channel_header, raw.signature_header, bare),
    )
    if len(data) <= LARGEST_REMEMBERED:
        _contents.put(data, content)
    return content


def _invoked(payload: proposal_pb2.ChaincodeProposalPayload) -> chaincode_pb2.ChaincodeSpec:
    invocation = parse(
        chaincode_pb2.ChaincodeInvocationSpec,
        payload.input,
        "error unmarshalling ChaincodeInvocationSpec",
    )
    if not invocation.HasField("chaincode_spec"):
        raise ProposalRejected("chaincode invocation spec did not contain chaincode spec")
    if not invocation.chaincode_spec.HasField("input"):
        raise ProposalRejected("chaincode input did not contain any input")
    return invocation.chaincode_spec


def check_time(creator: bytes, stamp: Timestamp, now: datetime, window: timedelta) -> None:
    """ProposalRejected when the creator has expired or the clocks differ by over ``window``.

    (Fabric: core/handlers/auth/filter, expiration.go and timewindow.go)
    """
    if now > expires_at(creator):
        raise ProposalRejected("proposal client identity expired")
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
