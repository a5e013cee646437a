"""Envelopes: the signed wrapper of everything that a channel orders or a client requests.

An ``Envelope`` is ``payload`` and a signature over exactly those bytes; the payload holds a
channel header (what and where), a signature header (who) and the data.  What is hashed or
signed is always the bytes as received, never a message serialised again
(Fabric: protoutil/commonutils.go, proputils.go, txutils.go, signeddata.go).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2
from gridloom.protos.peer import proposal_pb2

from .errors import MalformedMessage
from .identities import Signer
from .policies.policy import SignedData
from .wire import parse

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NONCE_LENGTH = 24
"""Bytes of a nonce, by Fabric's convention (protoutil ``getRandomNonce``)."""

Clock = Callable[[], datetime]
"""The time now, timezone-aware and in UTC."""


class OpenEnvelope(NamedTuple):
    """An envelope with its payload and headers parsed, and the triplet its signature is over."""

    payload: common_pb2.Payload
    channel_header: common_pb2.ChannelHeader
    signature_header: common_pb2.SignatureHeader
    signed_data: SignedData


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Lowercase hex of SHA-256(nonce || creator); creator is the serialized identity."""
    return sha256(nonce + creator).hexdigest()


def proposal_hash(
    channel_header: bytes, signature_header: bytes, payload_without_transient: bytes
) -> bytes:
    """SHA-256 that endorsers sign: both headers as received, the payload without transient data."""
    return sha256(channel_header + signature_header + payload_without_transient).digest()


def without_transient(proposal_payload: bytes) -> bytes:
    """A ``ChaincodeProposalPayload`` serialised again with ``input`` only.

    The one re-serialisation Fabric itself performs here (protoutil
    ``GetBytesProposalPayloadForTx``); MalformedMessage if the bytes do not parse.
    """
    payload = parse(proposal_pb2.ChaincodeProposalPayload, proposal_payload, "proposal payload")
    return proposal_pb2.ChaincodeProposalPayload(input=payload.input).SerializeToString()


def timestamp(moment: datetime) -> Timestamp:
    """``moment`` (aware) as a protobuf timestamp, in microseconds."""
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def channel_header(
    header_type: int,
    channel_id: str,
    moment: datetime,
    *,
    tx_id: str = "",
    version: int = 0,
    epoch: int = 0,
    extension: bytes = b"",
    tls_cert_hash: bytes = b"",
) -> common_pb2.ChannelHeader:
    """The header that says what an envelope is and for which channel."""
    return common_pb2.ChannelHeader(
        type=header_type,
        version=version,
        timestamp=timestamp(moment),
        channel_id=channel_id,
        tx_id=tx_id,
        epoch=epoch,
        extension=extension,
        tls_cert_hash=tls_cert_hash,
    )


def signed_envelope(  # noqa: PLR0917 - the order every caller knows from Fabric
    header_type: int,
    channel_id: str,
    data: bytes,
    signer: Signer,
    now: Clock,
    nonce: bytes,
    tls_cert_hash: bytes = b"",
    epoch: int = 0,
    extension: bytes = b"",
) -> common_pb2.Envelope:
    """Wrap and sign ``data``; the time is whole seconds and the transaction id stays empty.

    (Fabric: protoutil ``CreateSignedEnvelopeWithTLSBinding``.)
    """
    header = channel_header(
        header_type,
        channel_id,
        now().replace(microsecond=0),
        epoch=epoch,
        extension=extension,
        tls_cert_hash=tls_cert_hash,
    )
    payload = common_pb2.Payload(
        header=common_pb2.Header(
            channel_header=header.SerializeToString(),
            signature_header=signature_header(signer.serialized, nonce),
        ),
        data=data,
    ).SerializeToString()
    return common_pb2.Envelope(payload=payload, signature=signer.sign(payload))


def signature_header(creator: bytes, nonce: bytes) -> bytes:
    """The serialised header that names the signer and makes a signature unique."""
    return common_pb2.SignatureHeader(creator=creator, nonce=nonce).SerializeToString()


def seek_envelope(  # noqa: PLR0917 - start, stop and behaviour as in SeekInfo
    channel_id: str,
    start: ab_pb2.SeekPosition,
    stop: ab_pb2.SeekPosition,
    behavior: ab_pb2.SeekInfo.SeekBehavior.ValueType,
    signer: Signer,
    now: Clock,
    nonce: bytes,
    *,
    tls_cert_hash: bytes = b"",
    error_response: ab_pb2.SeekInfo.SeekErrorResponse.ValueType = ab_pb2.SeekInfo.STRICT,
    content_type: ab_pb2.SeekInfo.SeekContentType.ValueType = ab_pb2.SeekInfo.BLOCK,
) -> common_pb2.Envelope:
    """A signed request for the blocks ``start`` to ``stop`` of a channel (see ``deliver``)."""
    seek = ab_pb2.SeekInfo(
        start=start,
        stop=stop,
        behavior=behavior,
        error_response=error_response,
        content_type=content_type,
    )
    return signed_envelope(
        common_pb2.DELIVER_SEEK_INFO,
        channel_id,
        seek.SerializeToString(),
        signer,
        now,
        nonce,
        tls_cert_hash,
    )


OLDEST = ab_pb2.SeekPosition(oldest=ab_pb2.SeekOldest())
NEWEST = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
NEXT_COMMIT = ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())
NEVER = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=2**64 - 1))
"""As a stop position: go on for ever."""


def block_position(number: int) -> ab_pb2.SeekPosition:
    """The seek position of block ``number``."""
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))


def open_payload(envelope: common_pb2.Envelope) -> common_pb2.Payload:
    """Parse the payload; MalformedMessage when it is not one or has no header."""
    return _payload(envelope.payload)


def _payload(data: bytes) -> common_pb2.Payload:
    payload = parse(common_pb2.Payload, data, "payload")
    if not payload.HasField("header"):
        raise MalformedMessage("payload", "header not set")
    return payload


def open_channel_header(envelope: common_pb2.Envelope) -> common_pb2.ChannelHeader:
    """Parse only the channel header, which must be there; MalformedMessage otherwise."""
    encoded = open_payload(envelope).header.channel_header
    if not encoded:
        raise MalformedMessage("payload header", "channel header not set")
    return parse(common_pb2.ChannelHeader, encoded, "channel header")


def signed_data(envelope: common_pb2.Envelope) -> SignedData:
    """What the envelope's signature claims: these bytes, by this creator."""
    header = open_payload(envelope).header.signature_header
    creator = parse(common_pb2.SignatureHeader, header, "signature header").creator
    return SignedData(envelope.payload, creator, envelope.signature)


def open_envelope(envelope: common_pb2.Envelope) -> OpenEnvelope:
    """Parse payload and both headers; MalformedMessage names the part that is broken.

    Nothing is verified: evaluate ``signed_data`` under a policy for that.
    """
    data = envelope.payload
    payload = _payload(data)
    header = payload.header
    channel = parse(common_pb2.ChannelHeader, header.channel_header, "channel header")
    signature = parse(common_pb2.SignatureHeader, header.signature_header, "signature header")
    signed = SignedData(data, signature.creator, envelope.signature)
    return OpenEnvelope(payload, channel, signature, signed)
