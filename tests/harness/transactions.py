"""Transactions for tests, whole or broken at any layer.

    Draft(creator=user, endorsers=(peer1, peer2), results=rwset(written("cc", a=b"1"))).envelope()

Every part of a draft has a right default; replace one (``dataclasses.replace``) and whatever
encloses it is hashed and signed anew around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from gridloom.common.envelopes import channel_header, proposal_hash, transaction_id
from gridloom.common.identities import Signer
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2
from gridloom.protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

from .consortium import CHANNEL, NOW

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A transaction in pieces; None means: made from the others.

    The bytes of a later field enclose those of earlier ones, so setting e.g. ``action_payload``
    leaves the endorsements below it unused.
    """

    creator: Signer
    endorsers: Sequence[Signer] = ()
    channel_id: str = CHANNEL
    header_type: int = common_pb2.ENDORSER_TRANSACTION
    epoch: int = 0
    nonce: bytes = b"nonce of 24 bytes length"
    tx_id: str | None = None
    chaincode: str = "basic"
    version: str = "1.0"
    results: bytes = b""
    event: bytes = b""
    header_extension: bytes | None = None
    channel_header: bytes | None = None
    creator_bytes: bytes | None = None
    signature_header: bytes | None = None
    action_header: bytes | None = None
    proposal_payload: bytes = b"\x0a\x00"
    proposal_hash: bytes | None = None
    response_extension: bytes | None = None
    response_payload: bytes | None = None
    endorsements: Sequence[proposal_response_pb2.Endorsement] | None = None
    action_payload: bytes | None = None
    actions: int = 1
    data: bytes | None = None
    header: common_pb2.Header | None = None
    payload: bytes | None = None
    signature: bytes | None = field(default=None)

    def envelope(self) -> bytes:
        """The entry of a block."""
        payload = self.payload if self.payload is not None else self._payload()
        signature = self.signature if self.signature is not None else self.creator.sign(payload)
        return common_pb2.Envelope(payload=payload, signature=signature).SerializeToString()

    @property
    def id(self) -> str:
        """The transaction id in the header."""
        if self.tx_id is not None:
            return self.tx_id
        return transaction_id(self.nonce, self._creator())

    def _creator(self) -> bytes:
        return self.creator.serialized if self.creator_bytes is None else self.creator_bytes

    def _payload(self) -> bytes:
        header = self.header or common_pb2.Header(
            channel_header=self._channel_header(), signature_header=self._signature_header()
        )
        data = self.data if self.data is not None else self._transaction()
        return common_pb2.Payload(header=header, data=data).SerializeToString()

    def _channel_header(self) -> bytes:
        if self.channel_header is not None:
            return self.channel_header
        extension = self.header_extension
        if extension is None:
            extension = proposal_pb2.ChaincodeHeaderExtension(
                chaincode_id=chaincode_pb2.ChaincodeID(name=self.chaincode)
            ).SerializeToString()
        return channel_header(
            self.header_type,
            self.channel_id,
            NOW,
            tx_id=self.id,
            epoch=self.epoch,
            extension=extension,
        ).SerializeToString()

    def _signature_header(self) -> bytes:
        if self.signature_header is not None:
            return self.signature_header
        return common_pb2.SignatureHeader(
            creator=self._creator(), nonce=self.nonce
        ).SerializeToString()

    def _transaction(self) -> bytes:
        action = transaction_pb2.TransactionAction(
            header=self._signature_header() if self.action_header is None else self.action_header,
            payload=self._action_payload() if self.action_payload is None else self.action_payload,
        )
        return transaction_pb2.Transaction(actions=[action] * self.actions).SerializeToString()

    def _action_payload(self) -> bytes:
        signed = self.signed_response
        endorsements = self.endorsements
        if endorsements is None:
            endorsements = [endorse(signed, endorser) for endorser in self.endorsers]
        return transaction_pb2.ChaincodeActionPayload(
            chaincode_proposal_payload=self.proposal_payload,
            action=transaction_pb2.ChaincodeEndorsedAction(
                proposal_response_payload=signed, endorsements=endorsements
            ),
        ).SerializeToString()

    @property
    def signed_response(self) -> bytes:
        """What endorsers sign."""
        if self.response_payload is not None:
            return self.response_payload
        header = self._signature_header() if self.action_header is None else self.action_header
        digest = self.proposal_hash
        if digest is None:
            digest = proposal_hash(self._channel_header(), header, self.proposal_payload)
        extension = self.response_extension
        if extension is None:
            extension = self.action().SerializeToString()
        return proposal_response_pb2.ProposalResponsePayload(
            proposal_hash=digest, extension=extension
        ).SerializeToString()

    def action(self) -> proposal_pb2.ChaincodeAction:
        """What the chaincode is said to have done."""
        return proposal_pb2.ChaincodeAction(
            results=self.results,
            events=self.event,
            response=proposal_response_pb2.Response(status=200),
            chaincode_id=chaincode_pb2.ChaincodeID(name=self.chaincode, version=self.version),
        )


def endorse(response_payload: bytes, endorser: Signer) -> proposal_response_pb2.Endorsement:
    """An endorser's signature over a response and its own identity."""
    return proposal_response_pb2.Endorsement(
        endorser=endorser.serialized,
        signature=endorser.sign(response_payload + endorser.serialized),
    )


def event(chaincode: str, name: str = "created") -> bytes:
    """A serialized chaincode event."""
    return chaincode_event_pb2.ChaincodeEvent(
        chaincode_id=chaincode, event_name=name, payload=b"secret"
    ).SerializeToString()


def rwset(*namespaces: rwset_pb2.NsReadWriteSet) -> bytes:
    """A serialized TxReadWriteSet."""
    return rwset_pb2.TxReadWriteSet(ns_rwset=namespaces).SerializeToString()


def namespace(
    name: str,
    writes: Mapping[str, bytes] | None = None,
    *,
    reads: Iterable[str] = (),
    metadata: Mapping[str, Mapping[str, bytes]] | None = None,
    collections: Iterable[rwset_pb2.CollectionHashedReadWriteSet] = (),
) -> rwset_pb2.NsReadWriteSet:
    """What a transaction does in one namespace: writes, reads of absent keys, key metadata."""
    public = kv_rwset_pb2.KVRWSet(
        reads=[kv_rwset_pb2.KVRead(key=key) for key in reads],
        writes=[
            kv_rwset_pb2.KVWrite(key=key, value=value, is_delete=not value)
            for key, value in (writes or {}).items()
        ],
        metadata_writes=[
            kv_rwset_pb2.KVMetadataWrite(key=key, entries=_entries(entries))
            for key, entries in (metadata or {}).items()
        ],
    )
    return rwset_pb2.NsReadWriteSet(
        namespace=name, rwset=public.SerializeToString(), collection_hashed_rwset=collections
    )


def collection(
    name: str,
    writes: Mapping[str, bytes] | None = None,
    *,
    metadata: Mapping[str, Mapping[str, bytes]] | None = None,
) -> rwset_pb2.CollectionHashedReadWriteSet:
    """What a transaction does in one collection, by hashes."""
    hashed = kv_rwset_pb2.HashedRWSet(
        hashed_writes=[
            kv_rwset_pb2.KVWriteHash(key_hash=_digest(key), value_hash=sha256(value).digest())
            for key, value in (writes or {}).items()
        ],
        metadata_writes=[
            kv_rwset_pb2.KVMetadataWriteHash(key_hash=_digest(key), entries=_entries(entries))
            for key, entries in (metadata or {}).items()
        ],
    )
    return rwset_pb2.CollectionHashedReadWriteSet(
        collection_name=name, hashed_rwset=hashed.SerializeToString()
    )


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _entries(entries: Mapping[str, bytes]) -> list[kv_rwset_pb2.KVMetadataEntry]:
    return [kv_rwset_pb2.KVMetadataEntry(name=name, value=value) for name, value in entries.items()]
