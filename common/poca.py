"""What a channel under proof of credit assessment says, and what its blocks prove.

The channel's consensus metadata names the consenters with their credits, and the
difficulty.  The metadata of every block names the consenter that cut it, his nonce, which
must meet his target (paper 001, eq. (10)), and his signature, without which anybody could
mine in the name of a consenter with more credit.  Orderers and peers check the same.
(Fabric counterpart: none; etcdraft's are protos/orderer/etcdraft.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from gridloom.protos.common import common_pb2
from gridloom.protos.msp import identities_pb2

from . import certificates
from .blocks import BlockError, consenter_metadata, header_hash
from .errors import GridloomError, MalformedMessage
from .identities import Identity, Signer
from .proof_of_credit import LAST_NONCE, NONCE_BYTES, Difficulty, proof_hash, target
from .wire import parse

CONSENSUS_TYPE = "poca"

_MOST_BITS = 40
_MOST_DIGITS = 30
_CONFIG = "POCA consensus metadata"
_PROOF = "POCA block proof"


@dataclass(frozen=True, slots=True)
class CreditedConsenter:
    """identity: serialized, as it signs blocks; credit: in points, 0 to the reference;
    endpoint: host:port where the others reach it."""

    identity: bytes
    credit: Decimal
    endpoint: str

    def verify(self, message: bytes, signature: bytes) -> None:
        """InvalidSignature, InvalidIdentity or MalformedMessage unless he signed it."""
        serialized = parse(identities_pb2.SerializedIdentity, self.identity, "identity")
        details = certificates.parse_pem(serialized.id_bytes)
        Identity(serialized.mspid, details).verify(message, signature)


@dataclass(frozen=True, slots=True)
class PocaConfig:
    """The consenters by number, and how hard it is to win a block."""

    consenters: tuple[CreditedConsenter, ...]
    difficulty: Difficulty

    def number_of(self, identity: bytes) -> int | None:
        """Which consenter has this identity, None if none has."""
        for number, consenter in enumerate(self.consenters):
            if consenter.identity == identity:
                return number
        return None

    def target_of(self, consenter: int) -> int:
        """The largest hash with which he wins."""
        return target(self.consenters[consenter].credit, self.difficulty)


@dataclass(frozen=True, slots=True)
class BlockProof:
    """consenter: his number; nonce: S*; signature: his, over W and the nonce."""

    consenter: int
    nonce: int
    signature: bytes


def write_config(config: PocaConfig) -> bytes:
    """The channel's consensus metadata."""
    difficulty = config.difficulty
    return _json(
        {
            "bits": difficulty.bits,
            "reference": str(difficulty.reference),
            "temperature": str(difficulty.temperature),
            "consenters": [
                {
                    "identity": _base64(each.identity),
                    "credit": str(each.credit),
                    "endpoint": each.endpoint,
                }
                for each in config.consenters
            ],
        }
    )


def read_config(data: bytes) -> PocaConfig:
    """The channel's consensus metadata; MalformedMessage says what is wrong."""
    fields = _object(data, _CONFIG)
    bits = _integer(fields, "bits", _MOST_BITS, _CONFIG)
    reference, temperature = _points(fields, "reference"), _points(fields, "temperature")
    if temperature <= 0:
        raise MalformedMessage(_CONFIG, "temperature is not above zero")
    listed = fields.get("consenters")
    if not isinstance(listed, list) or not listed:
        raise MalformedMessage(_CONFIG, "there are no consenters")
    consenters = []
    for each in listed:
        if not isinstance(each, dict):
            raise MalformedMessage(_CONFIG, "a consenter is not an object")
        credit = _points(each, "credit")
        if credit > reference:
            raise MalformedMessage(_CONFIG, f"credit {credit} is above the reference {reference}")
        endpoint = each.get("endpoint")
        if not isinstance(endpoint, str) or not endpoint:
            raise MalformedMessage(_CONFIG, "endpoint is no text")
        consenters.append(CreditedConsenter(_bytes(each, "identity", _CONFIG), credit, endpoint))
    if len({each.identity for each in consenters}) != len(consenters):
        raise MalformedMessage(_CONFIG, "a consenter is there twice")
    return PocaConfig(tuple(consenters), Difficulty(bits, reference, temperature))


def write_proof(proof: BlockProof) -> bytes:
    """The consenter's part of a block's metadata."""
    return _json(
        {
            "consenter": proof.consenter,
            "nonce": proof.nonce,
            "signature": _base64(proof.signature),
        }
    )


def read_proof(data: bytes) -> BlockProof:
    """The consenter's part of a block's metadata; MalformedMessage says what is wrong."""
    fields = _object(data, _PROOF)
    return BlockProof(
        _integer(fields, "consenter", 2**31, _PROOF),
        _integer(fields, "nonce", LAST_NONCE, _PROOF),
        _bytes(fields, "signature", _PROOF),
    )


def work_of(header: common_pb2.BlockHeader, identity: bytes) -> bytes:
    """W: what a consenter mines on for a block; its data hash stands for the Merkle root."""
    return sha256(header_hash(header) + identity).digest()


def sign_proof(work: bytes, nonce: int, consenter: int, signer: Signer) -> BlockProof:
    """The proof of a nonce that was found."""
    return BlockProof(consenter, nonce, signer.sign(_signed(work, nonce)))


def verify_proof(header: common_pb2.BlockHeader, proof: BlockProof, config: PocaConfig) -> None:
    """BlockError unless the consenter won the right to cut this block, eq. (10)."""
    if proof.consenter >= len(config.consenters):
        raise BlockError(header.number, f"there is no consenter {proof.consenter}")
    consenter = config.consenters[proof.consenter]
    work = work_of(header, consenter.identity)
    if proof_hash(work, proof.nonce) > config.target_of(proof.consenter):
        reason = f"its nonce does not meet the target of consenter {proof.consenter}"
        raise BlockError(header.number, reason)
    try:
        consenter.verify(_signed(work, proof.nonce), proof.signature)
    except GridloomError as error:
        reason = f"its proof is not signed by consenter {proof.consenter}: {error}"
        raise BlockError(header.number, reason) from error


def verify_block(block: common_pb2.Block, metadata: bytes) -> None:
    """BlockError unless the block's proof is good; metadata: the channel's, before the block."""
    try:
        proof = read_proof(consenter_metadata(block))
        config = read_config(metadata)
    except MalformedMessage as error:
        raise BlockError(block.header.number, str(error)) from error
    verify_proof(block.header, proof, config)


def _signed(work: bytes, nonce: int) -> bytes:
    return work + nonce.to_bytes(NONCE_BYTES, "big")


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(what, f"is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedMessage(what, "is no JSON object")
    return fields


def _integer(fields: Mapping[str, object], key: str, most: int, what: str) -> int:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise MalformedMessage(what, f"{key} is no whole number from 0 to {most}")
    return value


def _points(fields: Mapping[str, object], key: str) -> Decimal:
    value = fields.get(key)
    digits = value.replace(".", "", 1) if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
        raise MalformedMessage(_CONFIG, f"{key} is no decimal number >= 0 as text")
    return Decimal(str(value))


def _bytes(fields: Mapping[str, object], key: str, what: str) -> bytes:
    value = fields.get(key)
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except ValueError as error:
        raise MalformedMessage(what, f"{key} is no base64 text") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
