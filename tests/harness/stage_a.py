"""Stage A of validation over a state that a test describes, without a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from gridloom.common import blocks
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.policies import language
from gridloom.peer.chaincodes.lifecycle.definitions import (
    LIFECYCLE_NAMESPACE,
    NAMESPACES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
)
from gridloom.peer.chaincodes.lifecycle.serializer import field_key, metadata_key
from gridloom.peer.ledger.memory_state import MemoryState
from gridloom.peer.ledger.state_db import Version, VersionedValue, hashed_namespace
from gridloom.peer.validation.block_transaction import BlockTransaction
from gridloom.peer.validation.block_validator import (
    BlockValidator,
    IdentityJudge,
    ValidatedBlock,
    ValidationHalted,
)
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2
from gridloom.protos.peer import collection_pb2, policy_pb2, transaction_pb2

from .consortium import CHANNEL
from .transactions import VALIDATION_PARAMETER

MAJORITY = policy_pb2.ApplicationPolicy(
    channel_config_policy_reference="/Channel/Application/Endorsement"
).SerializeToString()


def signature_policy(text: str) -> policy_pb2.ApplicationPolicy:
    """An application policy of its own, from the policy language."""
    return policy_pb2.ApplicationPolicy(signature_policy=language.parse(text))


def collections(*configs: collection_pb2.StaticCollectionConfig) -> bytes:
    """The collections of a definition."""
    return collection_pb2.CollectionConfigPackage(
        config=[
            collection_pb2.CollectionConfig(static_collection_config=config) for config in configs
        ]
    ).SerializeToString()


class StageA:
    """One channel's validator, its committed state and the transaction ids in its ledger."""

    def __init__(self, bundle: ChannelBundle) -> None:
        self.bundle = bundle
        self.known: set[str] = set()
        self.others: dict[str, IdentityJudge] = {}
        self._state = MemoryState()
        self._height = 0
        self._validator = BlockValidator(self._identities, ChaincodeDefinitions())

    def _identities(self, channel_id: str) -> IdentityJudge | None:
        if channel_id == CHANNEL:
            return self.bundle.msp_manager
        return self.others.get(channel_id)

    def define(self, name: str, policy: bytes = MAJORITY, **fields: object) -> None:
        """Commit a chaincode definition."""
        definition = ChaincodeDefinition(
            **{  # type: ignore[arg-type]
                "sequence": 1,
                "version": "1.0",
                "endorsement_plugin": "escc",
                "validation_plugin": "vscc",
                "validation_parameter": policy,
                **fields,
            }
        )
        record = definition.as_record()
        values = {field_key(NAMESPACES, name, key): value for key, value in record.fields.items()}
        values[metadata_key(NAMESPACES, name)] = record.metadata
        self.put(LIFECYCLE_NAMESPACE, values)

    def put(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Commit values."""
        self._apply(namespace, {key.encode(): (value, b"") for key, value in values.items()})

    def guard(self, namespace: str, key: str, policy: bytes, collection: str = "") -> None:
        """Commit a key (with a value) that has a policy of its own."""
        entry = kv_rwset_pb2.KVMetadataEntry(name=VALIDATION_PARAMETER, value=policy)
        metadata = kv_rwset_pb2.KVMetadataWrite(entries=[entry]).SerializeToString()
        stored = sha256(key.encode()).digest() if collection else key.encode()
        place = hashed_namespace(namespace, collection) if collection else namespace
        self._apply(place, {stored: (b"value", metadata)})

    def _apply(self, namespace: str, entries: Mapping[bytes, tuple[bytes, bytes]]) -> None:
        self._height += 1
        updates = {
            key: VersionedValue(value, Version(self._height, 0), metadata)
            for key, (value, metadata) in entries.items()
        }
        self._state.apply([(namespace, updates)], self._height)

    def validate(
        self, *entries: bytes, on_halt: Callable[[ValidationHalted], None] | None = None
    ) -> ValidatedBlock:
        """Judge a block of these entries."""
        return self.validate_block(blocks.new_block(7, b"", entries), on_halt)

    def validate_block(
        self, block: Block, on_halt: Callable[[ValidationHalted], None] | None = None
    ) -> ValidatedBlock:
        """Judge a block, and see that the next peer of the process comes to the same."""
        first = self._judge(block, on_halt)
        second = self._judge(block, on_halt and (lambda _: None))
        assert second.transactions == first.transactions
        return first

    def _judge(
        self, block: Block, on_halt: Callable[[ValidationHalted], None] | None
    ) -> ValidatedBlock:
        snapshot = self._state.snapshot()
        try:
            return self._validator.validate(
                block, self.bundle, snapshot, self.known.intersection, on_halt
            )
        finally:
            snapshot.close()

    def codes(
        self, *entries: bytes, on_halt: Callable[[ValidationHalted], None] | None = None
    ) -> list[str]:
        """The names of the codes that these entries get."""
        return names(self.validate(*entries, on_halt=on_halt).transactions)


def names(transactions: Sequence[BlockTransaction]) -> list[str]:
    """Codes as names."""
    return [transaction_pb2.TxValidationCode.Name(item.code) for item in transactions]  # type: ignore[arg-type]
