"""Config updates on their way from one administrator to the next, and to the orderer.

An update travels as an Envelope, mostly in a file: made from two configurations, signed by
one organization after the other, and sent by the last.
(Fabric: internal/peer/channel/{create,signconfigtx,update}.go; configtxlator compute_update.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError, UpdateRejected
from gridloom.common.channel.update import compute_update
from gridloom.common.channel.update_validation import open_config_update
from gridloom.common.envelopes import (
    NONCE_LENGTH,
    open_channel_header,
    signature_header,
    signed_envelope,
)
from gridloom.common.errors import MalformedMessage
from gridloom.common.policies.policy import PolicyNotSatisfied
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from gridloom.protos.common.configtx_pb2 import (
    Config,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from gridloom.protos.msp.identities_pb2 import SerializedIdentity

from ..identity import Signer


class UpdateUnsigned(ConfigError):
    """A config update that more administrators have to sign.

    refusal: the orderer's words; explanation: which policies are unmet, and by whom; who: the
    MSP ids that have signed, each once.
    """

    def __init__(self, refusal: str, explanation: str, who: Sequence[str]) -> None:
        self.refusal = refusal
        self.explanation = explanation
        self.who = tuple(dict.fromkeys(who))
        signed = ", ".join(self.who) or "nobody"
        super().__init__(f"{refusal} | {explanation} | signed so far by: {signed}")


def update_envelope(channel_id: str, update: ConfigUpdate) -> Envelope:
    """Wrap an update for its way to the signers; nobody has signed it yet."""
    header = ChannelHeader(type=CONFIG_UPDATE, channel_id=channel_id)
    data = ConfigUpdateEnvelope(config_update=update.SerializeToString(deterministic=True))
    payload = Payload(
        header=Header(channel_header=header.SerializeToString()), data=data.SerializeToString()
    )
    return Envelope(payload=payload.SerializeToString())


def make_update(channel_id: str, original: Config, updated: Config) -> Envelope:
    """Return the update from one configuration to another, unsigned.

    ConfigError when nothing differs, and when the orderer would refuse the result whoever
    signed it.
    """
    update = compute_update(channel_id, original, updated)
    ChannelBundle(channel_id, original).validate_new(ChannelBundle(channel_id, updated))
    return update_envelope(channel_id, update)


def channel_of(envelope: Envelope) -> str:
    """Return the channel an update is for; UpdateRejected when it is no update."""
    open_config_update(envelope)
    channel_id = open_channel_header(envelope).channel_id
    if not channel_id:
        raise UpdateRejected("empty channel id")
    return channel_id


def signers_of(envelope: Envelope) -> list[str]:
    """Return the MSP ids of an update's signatures, as claimed; UpdateRejected if it is none."""
    found = []
    for signature in open_config_update(envelope).signatures:
        try:
            header = parse(SignatureHeader, signature.signature_header, "signature header")
            found.append(parse(SerializedIdentity, header.creator, "signature creator").mspid)
        except MalformedMessage as error:
            raise UpdateRejected(str(error)) from error
    return found


def check_signatures(envelope: Envelope, bundle: ChannelBundle) -> None:
    """Try an update on a configuration, as the orderer will.

    UpdateUnsigned says whose signatures lack, UpdateRejected what else stands against it.
    """
    try:
        bundle.propose_update(envelope)
    except UpdateRejected as error:
        unmet = error.__cause__
        if not isinstance(unmet, PolicyNotSatisfied):
            raise
        raise UpdateUnsigned(error.reason, unmet.explanation, signers_of(envelope)) from error


@dataclass(frozen=True, slots=True)
class UpdateSigner:
    """Signs updates as one administrator.

    now: the time for headers, timezone-aware; random_bytes: source of nonces.
    """

    signer: Signer
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    random_bytes: Callable[[int], bytes] = field(default=os.urandom)

    def sign(self, envelope: Envelope) -> Envelope:
        """Return the update with this signature after those there are; UpdateRejected.

        The envelope itself is signed too, so that it can be sent as it is.
        """
        channel_id = channel_of(envelope)
        update = open_config_update(envelope)
        header = signature_header(self.signer.serialized, self.random_bytes(NONCE_LENGTH))
        signed = ConfigUpdateEnvelope()
        signed.CopyFrom(update)
        signature = self.signer.sign(header + update.config_update)
        signed.signatures.append(ConfigSignature(signature_header=header, signature=signature))
        return signed_envelope(
            CONFIG_UPDATE,
            channel_id,
            signed.SerializeToString(),
            self.signer,
            self.now,
            self.random_bytes(NONCE_LENGTH),
        )
