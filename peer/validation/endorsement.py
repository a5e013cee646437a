"""Endorsement policies of one transaction in one namespace: key, collection, chaincode.

Every written key asks for its own policy if it has one, else for its collection's, else for
the chaincode's; a key whose policy an earlier transaction of the block may change cannot be
judged and fails.  (Fabric: core/common/validation/statebased)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.policies.policy import SignedData
from gridloom.common.wire import parse
from gridloom.protos.common import policies_pb2
from gridloom.protos.peer import policy_pb2, transaction_pb2

from ..ledger.rwset import NsRwSet
from ..ledger.state_db import StateSnapshot, hashed_namespace
from ..ledger.state_metadata import deserialize
from .application_policy import ApplicationPolicies
from .block_transaction import BlockTransaction
from .message_validation import InvalidTransaction
from .namespace_policies import NamespacePolicies

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"

Key = tuple[str, bytes]
"""Collection name ("" for public state), and key (public) or key hash (private)."""


class CorruptValidationParameter(GridloomError):
    """A committed key-level policy does not parse: the channel has to stop.

    namespace, collection, key: which one.
    """

    def __init__(self, namespace: str, collection: str, key: bytes) -> None:
        place = f"{namespace}/{collection}" if collection else namespace
        super().__init__(f"could not translate policy for {place}: key {key.hex()}")
        self.namespace = namespace
        self.collection = collection
        self.key = key


class EndorsementValidator:
    """Judges the transactions of one block, in their order, against the state before it."""

    def __init__(
        self,
        policies: ApplicationPolicies,
        namespaces: NamespacePolicies,
        state: StateSnapshot,
    ) -> None:
        self._policies = policies
        self._namespaces = namespaces
        self._state = state
        self._changed: set[tuple[str, Key]] = set()

    def validate(self, transaction: BlockTransaction) -> None:
        """InvalidTransaction with INVALID_CHAINCODE or ENDORSEMENT_POLICY_FAILURE, or nothing."""
        assert transaction.rwset is not None
        signed = transaction.proposal_response_payload
        signatures = [
            SignedData(signed + endorsement.endorser, endorsement.endorser, endorsement.signature)
            for endorsement in transaction.endorsements
        ]
        written = {space.namespace: space for space in transaction.rwset.namespaces}
        names = [transaction.chaincode_name]
        names += [name for name, space in written.items() if space.is_written]
        for name in dict.fromkeys(names):
            space = written.get(name)
            self._validate_namespace(name, space, signatures)
            if space is not None:
                self._changed.update((name, key) for key in _metadata_written(space))

    def _validate_namespace(
        self, name: str, space: NsRwSet | None, signatures: Sequence[SignedData]
    ) -> None:
        chaincode_policy = self._namespaces.chaincode_policy(name)
        checked: set[str] = set()
        some_checked = False
        for key in _written(space) if space is not None else ():
            policy = self._key_policy(name, key)
            if not policy:
                policy = self._common_policy(name, key[0], checked, chaincode_policy)
            if policy:
                self._evaluate(policy, signatures, name, key)
            some_checked = True
        if not some_checked:
            self._evaluate(chaincode_policy, signatures, name)

    def _key_policy(self, name: str, key: Key) -> bytes:
        """The key's own policy as a serialized ApplicationPolicy, b"" without one."""
        if (name, key) in self._changed:
            raise _failure(name, key, "its validation parameter changes in this block")
        collection, raw = key
        namespace = hashed_namespace(name, collection) if collection else name
        if not self._state.has_metadata(namespace):
            return b""
        entry = self._state.get(namespace, raw)
        if entry is None or not entry.metadata:
            return b""
        parameter = deserialize(entry.metadata).get(VALIDATION_PARAMETER)
        return self._translate(name, key, parameter) if parameter else b""

    @staticmethod
    def _translate(name: str, key: Key, parameter: bytes) -> bytes:
        try:
            envelope = parse(policies_pb2.SignaturePolicyEnvelope, parameter)
        except MalformedMessage as error:
            raise CorruptValidationParameter(name, *key) from error
        return policy_pb2.ApplicationPolicy(signature_policy=envelope).SerializeToString()

    def _common_policy(
        self, name: str, collection: str, checked: set[str], chaincode_policy: bytes
    ) -> bytes:
        """The collection's or chaincode's policy, b"" if ``checked`` says it was evaluated."""
        if collection in checked:
            return b""
        policy = b""
        if collection:
            try:
                policy = self._namespaces.collection_policy(name, collection)
            except GridloomError as error:
                raise _failure(name, (collection, b""), str(error)) from error
        if not policy:
            if "" in checked:
                return b""
            checked.add("")
            return chaincode_policy
        checked.add(collection)
        return policy

    def _evaluate(
        self, policy: bytes, signatures: Sequence[SignedData], name: str, key: Key = ("", b"")
    ) -> None:
        try:
            self._policies.evaluate(policy, signatures)
        except GridloomError as error:
            raise _failure(name, key, str(error)) from error


def _failure(name: str, key: Key, reason: str) -> InvalidTransaction:
    collection, raw = key
    place = f"{name}/{collection}" if collection else name
    place += f" key {raw!r}" if raw else ""
    return InvalidTransaction(
        transaction_pb2.ENDORSEMENT_POLICY_FAILURE, f"endorsement of {place}: {reason}"
    )


def _written(space: NsRwSet) -> Iterator[Key]:
    """All written keys in Fabric's order: values before metadata, public before collections."""
    yield from (("", write.key) for write in space.writes)
    yield from (("", write.key.encode()) for write in space.kv.metadata_writes)
    for collection in space.collections:
        for write in collection.hashed.hashed_writes:
            yield collection.name, write.key_hash
    for collection in space.collections:
        for change in collection.hashed.metadata_writes:
            yield collection.name, change.key_hash


def _metadata_written(space: NsRwSet) -> Iterator[Key]:
    yield from (("", write.key.encode()) for write in space.kv.metadata_writes)
    for collection in space.collections:
        for change in collection.hashed.metadata_writes:
            yield collection.name, change.key_hash
