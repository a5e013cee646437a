"""Blocks: hashes, the five metadata slots and the orderers' signatures.

A block's header is hashed and signed as DER, its data as the plain concatenation of its
envelopes; the metadata is covered by neither, each slot protects itself
(Fabric: protoutil/blockutils.go; PROTOCOL 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from gridloom.protos.common import common_pb2

from .envelopes import open_channel_header, signature_header
from .errors import GridloomError, MalformedMessage
from .identities import Signer
from .policies.policy import SignedData
from .wire import parse

METADATA_SLOTS = 5
BLOCK_VALIDATION = "/Channel/Orderer/BlockValidation"
_MAX_SHORT_LENGTH = 0x7F
_INTEGER, _OCTET_STRING, _SEQUENCE = 0x02, 0x04, 0x30


class BlockError(GridloomError):
    """A block that breaks a rule of its format: number, and the reason in words."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"block {number}: {reason}")
        self.number = number
        self.reason = reason


class _Policies(Protocol):
    def get(self, path: str) -> _BlockValidation: ...


class _BlockValidation(Protocol):
    def evaluate(self, signatures: Sequence[SignedData]) -> None: ...


class BlockVerifier(Protocol):
    """What judges a block's signatures: a channel bundle, seen from here."""

    @property
    def policies(self) -> _Policies:
        """The channel's policies by path."""


def new_block(number: int, previous_hash: bytes, envelopes: Sequence[bytes]) -> common_pb2.Block:
    """A block with its data hash set and all five metadata slots present and empty."""
    return assemble(number, previous_hash, data_hash(envelopes), envelopes, [b""] * METADATA_SLOTS)


def assemble(
    number: int,
    previous_hash: bytes,
    hash_of_data: bytes,
    data: Iterable[bytes],
    metadata: Iterable[bytes],
) -> common_pb2.Block:
    """A block of these parts, each of which protobuf copies once (by its constructors, thrice)."""
    block = common_pb2.Block()
    header = block.header
    header.number, header.previous_hash, header.data_hash = number, previous_hash, hash_of_data
    block.data.SetInParent()
    block.data.data.extend(data)
    block.metadata.SetInParent()
    block.metadata.metadata.extend(metadata)
    return block


def header_bytes(header: common_pb2.BlockHeader) -> bytes:
    """DER of SEQUENCE { INTEGER number, OCTET STRING previous_hash, OCTET STRING data_hash }."""
    number = header.number.to_bytes(header.number.bit_length() // 8 + 1, "big")
    return _der(
        _SEQUENCE,
        _der(_INTEGER, number)
        + _der(_OCTET_STRING, header.previous_hash)
        + _der(_OCTET_STRING, header.data_hash),
    )


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length <= _MAX_SHORT_LENGTH:
        return bytes((tag, length)) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def header_hash(header: common_pb2.BlockHeader) -> bytes:
    """SHA-256 of the header's DER: the next block's ``previous_hash``."""
    return sha256(header_bytes(header)).digest()


def data_hash(envelopes: Iterable[bytes]) -> bytes:
    """SHA-256 of the envelopes one after the other, without lengths."""
    return sha256(b"".join(envelopes)).digest()


def check_data(block: common_pb2.Block) -> None:
    """BlockError unless the data is well formed and hashes to the header's data hash.

    Outside a config block every entry must be an envelope with payload and signature that
    serialises to exactly the same bytes again: a hash without lengths protects nothing else
    (Fabric: ``VerifyTransactionsAreWellFormed``).
    """
    number = block.header.number
    if not block.data.data:
        raise BlockError(number, "empty block")
    if not is_config_block(block):
        for index, entry in enumerate(block.data.data):
            _check_entry(number, index, entry)
    if data_hash(block.data.data) != block.header.data_hash:
        raise BlockError(number, "data hash differs from the header's")


def _check_entry(number: int, index: int, entry: bytes) -> None:
    try:
        envelope = parse(common_pb2.Envelope, entry, "envelope")
    except MalformedMessage as error:
        raise BlockError(number, f"transaction {index} is invalid: {error.reason}") from error
    if not envelope.payload:
        raise BlockError(number, f"transaction {index} has no payload")
    if not envelope.signature:
        raise BlockError(number, f"transaction {index} has no signature")
    expected = envelope.SerializeToString()
    if len(expected) < len(entry):
        trailing = len(entry) - len(expected)
        raise BlockError(number, f"transaction {index} has {trailing} trailing bytes")
    if expected != entry:
        raise BlockError(number, f"transaction {index} does not match its raw form")


def envelope_at(block: common_pb2.Block, index: int) -> common_pb2.Envelope:
    """Envelope number ``index``; BlockError out of bounds, MalformedMessage if broken."""
    if not 0 <= index < len(block.data.data):
        raise BlockError(block.header.number, f"envelope index {index} out of bounds")
    return parse(common_pb2.Envelope, block.data.data[index], "envelope")


def is_config_block(block: common_pb2.Block) -> bool:
    """Whether the block is exactly one envelope of type CONFIG."""
    if len(block.data.data) != 1:
        return False
    try:
        return open_channel_header(envelope_at(block, 0)).type == common_pb2.CONFIG
    except MalformedMessage:
        return False


def channel_id(block: common_pb2.Block) -> str:
    """The channel that the first envelope names; BlockError or MalformedMessage without one."""
    return open_channel_header(envelope_at(block, 0)).channel_id


def get_metadata(block: common_pb2.Block, index: int) -> bytes:
    """The raw bytes of a metadata slot, empty when the block has no such slot."""
    slots = block.metadata.metadata
    return slots[index] if index < len(slots) else b""


def set_metadata(block: common_pb2.Block, index: int, value: bytes) -> None:
    """Put raw bytes into a slot; missing slots are added empty, up to the five."""
    slots = block.metadata.metadata
    slots.extend([b""] * (METADATA_SLOTS - len(slots)))
    slots[index] = value


def _wrapped(block: common_pb2.Block, index: int) -> common_pb2.Metadata:
    return parse(common_pb2.Metadata, get_metadata(block, index), "block metadata")


def transactions_filter(block: common_pb2.Block) -> bytes:
    """One validation code per transaction, written by the peer; empty from the orderer."""
    return get_metadata(block, common_pb2.TRANSACTIONS_FILTER)


def commit_hash(block: common_pb2.Block) -> bytes:
    """The peer's commit hash (32 bytes), empty when there is none."""
    return _wrapped(block, common_pb2.COMMIT_HASH).value


def _orderer_metadata(block: common_pb2.Block) -> common_pb2.OrdererBlockMetadata | None:
    value = _wrapped(block, common_pb2.SIGNATURES).value
    if not value:
        return None
    return parse(common_pb2.OrdererBlockMetadata, value, "orderer block metadata")


def last_config_index(block: common_pb2.Block) -> int:
    """The number of the config block in force, this one's own if it is one.

    Before Fabric 1.4.1 it stood only in slot 1, which is read when slot 0 holds no value.
    """
    orderer = _orderer_metadata(block)
    if orderer is not None:
        return orderer.last_config.index
    value = _wrapped(block, common_pb2.LAST_CONFIG).value
    return parse(common_pb2.LastConfig, value, "last config").index


def consenter_metadata(block: common_pb2.Block) -> bytes:
    """The consenter's own bytes (raft's are a further ``Metadata``); empty for solo."""
    orderer = _orderer_metadata(block)
    if orderer is not None:
        return orderer.consenter_metadata
    return get_metadata(block, common_pb2.ORDERER)


def set_last_config(
    block: common_pb2.Block, last_config: int, consenter: bytes = b""
) -> common_pb2.Metadata:
    """Write slots 0 and 1 without a signature, as a genesis block has them; returns slot 0."""
    index = common_pb2.LastConfig(index=last_config)
    orderer = common_pb2.OrdererBlockMetadata(last_config=index, consenter_metadata=consenter)
    metadata = common_pb2.Metadata(value=orderer.SerializeToString())
    set_metadata(block, common_pb2.SIGNATURES, metadata.SerializeToString())
    deprecated = common_pb2.Metadata(value=index.SerializeToString())
    set_metadata(block, common_pb2.LAST_CONFIG, deprecated.SerializeToString())
    return metadata


def sign_block(
    block: common_pb2.Block,
    signer: Signer,
    nonce: bytes,
    last_config: int,
    consenter: bytes = b"",
) -> None:
    """Write slots 0 and 1 with the orderer's signature over value, its header and the block's.

    (Fabric: orderer/common/multichannel ``addBlockSignature``, ``addLastConfig``.)
    """
    metadata = set_last_config(block, last_config, consenter)
    header = signature_header(signer.serialized, nonce)
    signature = signer.sign(metadata.value + header + header_bytes(block.header))
    metadata.signatures.add(signature_header=header, signature=signature)
    set_metadata(block, common_pb2.SIGNATURES, metadata.SerializeToString())


def block_signatures(
    block: common_pb2.Block, consenters: Mapping[int, bytes] | None = None
) -> list[SignedData]:
    """What each signature of slot 0 claims; MalformedMessage when slot or header do not parse.

    consenters: serialized identity by consenter id, given on a BFT channel only.  There a
    signature without signature header names its signer by id, and unknown ids are skipped.
    """
    metadata = _wrapped(block, common_pb2.SIGNATURES)
    header = header_bytes(block.header)
    signatures = []
    for entry in metadata.signatures:
        if consenters is not None and not entry.signature_header and entry.identifier_header:
            by_id = parse(common_pb2.IdentifierHeader, entry.identifier_header, "identifier header")
            identity, signer_header = consenters.get(by_id.identifier), entry.identifier_header
            if identity is None:
                continue
        else:
            signer_header = entry.signature_header
            identity = parse(
                common_pb2.SignatureHeader, signer_header, "block signature header"
            ).creator
        data = metadata.value + signer_header + header
        signatures.append(SignedData(data, identity, entry.signature))
    return signatures


def verify_block_signatures(
    block: common_pb2.Block,
    bundle: BlockVerifier,
    consenters: Mapping[int, bytes] | None = None,
) -> None:
    """Hold the block's signatures against ``/Channel/Orderer/BlockValidation``.

    Raises the policy's own error when they do not satisfy it, MalformedMessage when they
    do not parse.
    """
    bundle.policies.get(BLOCK_VALIDATION).evaluate(block_signatures(block, consenters))
