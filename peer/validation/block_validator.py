"""Stage A: judge every transaction of a block against the state before it.

What can be said of a transaction becomes its TxValidationCode, whatever its bytes are.  What
makes the whole block unjudgeable (a config transaction that does not validate, corrupt
committed state) raises :class:`ValidationHalted` and must stop the channel.
(Fabric: core/committer/txvalidator/v20/validator.go)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, IdentityError
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import transaction_pb2

from ..chaincodes.lifecycle.definitions import ChaincodeDefinition, StateQuery
from ..ledger.state_db import StateSnapshot
from .application_policy import ApplicationPolicies
from .block_transaction import BlockTransaction
from .endorsement import EndorsementValidator
from .former_lifecycle import former_definition
from .known_forms import KnownForm, known_form, remember_form
from .message_validation import (
    Headers,
    InvalidTransaction,
    open_chaincode_action,
    open_config,
    open_endorser_transaction,
    open_headers,
)
from .namespace_policies import NamespacePolicies

logger = logging.getLogger(__name__)


class ValidationHalted(GridloomError):
    """A block cannot be judged; no code would be right, so the channel has to stop.

    channel_id, number, index: where; reason: why.
    """

    def __init__(self, channel_id: str, number: int, index: int, reason: str) -> None:
        super().__init__(f"channel {channel_id}, block {number}, transaction {index}: {reason}")
        self.channel_id = channel_id
        self.number = number
        self.index = index
        self.reason = reason


class IdentityJudge(Protocol):
    """The MSPs of a channel, or the peer's own MSP; every refusal is an IdentityError."""

    def deserialize(self, serialized: bytes, /) -> Identity: ...
    def validate(self, identity: Identity, /) -> None: ...


class Definitions(Protocol):
    """Finds a chaincode's definition in the state just before a block."""

    def definition(self, name: str, query: StateQuery, /) -> ChaincodeDefinition | None: ...


@dataclass(frozen=True, slots=True)
class ValidatedBlock:
    """The block's transactions with their codes, and the configuration in force after it."""

    transactions: tuple[BlockTransaction, ...]
    bundle: ChannelBundle


class BlockValidator:
    """Stage A for one channel.

    identities: the MSPs of a channel by id, None for a channel this peer does not know.  A
    creator is judged by the channel that its own header names.
    definitions: the chaincode definitions as committed.
    """

    def __init__(
        self,
        identities: Callable[[str], IdentityJudge | None],
        definitions: Definitions,
    ) -> None:
        self._identities = identities
        self._definitions = definitions
        self._policies: ApplicationPolicies | None = None

    def validate(
        self,
        block: common_pb2.Block,
        bundle: ChannelBundle,
        state: StateSnapshot,
        known_transactions: Callable[[Sequence[str]], Collection[str]],
        on_halt: Callable[[ValidationHalted], None] | None = None,
    ) -> ValidatedBlock:
        """Set every transaction's code; ValidationHalted if that is not possible.

        bundle, state, known_transactions (which of some ids the ledger has): as they are just
        before this block.
        on_halt: is told instead, and the transaction stays NOT_VALIDATED: for an auditor, who
        has to go on where a peer has to stop.
        """
        if self._policies is None or self._policies.bundle is not bundle:
            self._policies = ApplicationPolicies(bundle)
        query = _CommittedState(state)
        namespaces = NamespacePolicies(
            bundle,
            lambda name: self._definitions.definition(name, query),
            lambda name: former_definition(name, query),
        )
        endorsements = EndorsementValidator(self._policies, namespaces, state)
        transactions = tuple(map(BlockTransaction, range(len(block.data.data)), block.data.data))
        known_forms = [known_form(transaction.envelope) for transaction in transactions]
        headers = list(map(_headers, transactions, known_forms))
        known = known_transactions([each.tx_id for each in transactions if each.tx_id])
        run = _BlockRun(bundle, self._identities, known, endorsements)
        for transaction, opened, form in zip(transactions, headers, known_forms, strict=True):
            if opened is None:
                continue
            try:
                transaction.code = run.code(transaction, opened, form)
            except GridloomError as error:
                halted = ValidationHalted(
                    bundle.channel_id, block.header.number, transaction.index, str(error)
                )
                if on_halt is None:
                    raise halted from error
                halted.__cause__ = error
                on_halt(halted)
        _mark_duplicates(transactions)
        return ValidatedBlock(transactions, run.bundle)


class _BlockRun:
    """What the judging of one block remembers from transaction to transaction."""

    def __init__(
        self,
        bundle: ChannelBundle,
        identities: Callable[[str], IdentityJudge | None],
        known: Collection[str],
        endorsements: EndorsementValidator,
    ) -> None:
        self.bundle = bundle
        self._identities = identities
        self._known = known
        self._endorsements = endorsements

    def code(self, transaction: BlockTransaction, headers: Headers, form: KnownForm | None) -> int:
        """The transaction's code; any GridloomError but InvalidTransaction is a halt."""
        try:
            self._check_creator(transaction, headers)
            if transaction.header_type == common_pb2.ENDORSER_TRANSACTION:
                self._endorser_transaction(transaction, headers, form)
            elif transaction.header_type == common_pb2.CONFIG:
                self._config_transaction(transaction, headers)
            else:
                raise InvalidTransaction(
                    transaction_pb2.UNSUPPORTED_TX_PAYLOAD, "a config update in a block"
                )
        except InvalidTransaction as error:
            return _refused(transaction, error)
        return transaction_pb2.VALID

    def _check_creator(self, transaction: BlockTransaction, headers: Headers) -> None:
        code = transaction_pb2.BAD_CREATOR_SIGNATURE
        manager = self._identities(transaction.channel_id)
        if manager is None:
            raise InvalidTransaction(code, f"unknown channel {transaction.channel_id!r}")
        try:
            creator = manager.deserialize(transaction.creator)
            manager.validate(creator)
            creator.verify(headers.signed, headers.signature)
        except IdentityError as error:
            raise InvalidTransaction(code, str(error)) from error

    def _endorser_transaction(
        self, transaction: BlockTransaction, headers: Headers, form: KnownForm | None
    ) -> None:
        action = b"" if form else open_endorser_transaction(transaction, headers)
        if transaction.tx_id in self._known:
            raise InvalidTransaction(
                transaction_pb2.DUPLICATE_TXID, "the transaction id is in the ledger"
            )
        if form:
            form.give_content(transaction)
        else:
            open_chaincode_action(transaction, headers, action)
            remember_form(transaction, headers)
        self._endorsements.validate(transaction)

    def _config_transaction(self, transaction: BlockTransaction, headers: Headers) -> None:
        self.bundle = self.bundle.accept(open_config(transaction, headers))


@dataclass(frozen=True, slots=True)
class _CommittedState:
    """A snapshot as the lifecycle reads it."""

    snapshot: StateSnapshot

    def get_state(self, namespace: str, key: str) -> bytes | None:
        entry = self.snapshot.get(namespace, key.encode())
        return None if entry is None else entry.value


def _headers(transaction: BlockTransaction, form: KnownForm | None) -> Headers | None:
    """Open the headers; None for malformed ones, and then the transaction has its code."""
    if form is not None:
        form.give_headers(transaction)
        return form.headers
    try:
        return open_headers(transaction)
    except InvalidTransaction as error:
        transaction.code = _refused(transaction, error)
        return None


def _refused(transaction: BlockTransaction, error: InvalidTransaction) -> int:
    logger.warning("transaction %d %s: %s", transaction.index, transaction.tx_id, error)
    transaction.reason = error.reason
    return error.code


def _mark_duplicates(transactions: Iterable[BlockTransaction]) -> None:
    """Of valid transactions with the same id only the first stays so."""
    seen = set()
    for transaction in transactions:
        if transaction.valid and transaction.tx_id:
            if transaction.tx_id in seen:
                transaction.code = transaction_pb2.DUPLICATE_TXID
                transaction.reason = "an earlier transaction of the block has its id"
            seen.add(transaction.tx_id)
