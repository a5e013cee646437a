"""The private data of a block: what of it this peer should have, and where it comes from.

First what it was sent at endorsement, then what other members give when asked, for a limited
time; the block commits without the rest, which is put down as missing.
(Fabric: gossip/privdata/coordinator.go, pvtdataprovider.go)
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig

from ..chaincodes.lifecycle.collections import member_organizations
from ..chaincodes.lifecycle.definitions import ChaincodeDefinitions, StateQuery
from ..chaincodes.lifecycle.serializer import LifecycleStateError
from ..discovery.peers import PeerInfo
from ..ledger.ledger import Ledger
from ..ledger.private_data import is_committed
from ..ledger.private_record import PrivateBlockData
from ..ledger.rwset import CollRwSet
from ..ledger.store import MissingRow, PrivateRow
from ..validation.block_transaction import BlockTransaction
from .digests import Digest, Wanted
from .membership import Membership, is_own
from .puller import Puller

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two rounds of asking (Fabric: pullRetrySleepInterval)."""


@dataclass(frozen=True, slots=True)
class Need:
    """Private data this peer should have and was not sent.

    hashes: what the transaction says of it; invalid: stage A has rejected the transaction.
    """

    wanted: Wanted
    hashes: CollRwSet
    invalid: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is at hand for a block, and what has to be asked for."""

    rows: Sequence[PrivateRow] = field(default=(), repr=False)
    missing: Sequence[MissingRow] = ()
    needs: Sequence[Need] = ()

    def without_asking(self) -> PrivateBlockData:
        """What to commit if nobody is asked."""
        return PrivateBlockData(self.rows, [*self.missing, *(_missing(n) for n in self.needs)])


class Coordinator:
    """Gathers private data for the blocks of one channel.

    identity: this peer's own; threshold: seconds that may be spent on asking for one block;
    clock: seconds that only grow; sleep: waits seconds; skip_invalid: leave what invalid
    transactions wrote to the reconciler.
    """

    def __init__(
        self,
        ledger: Ledger,
        definitions: ChaincodeDefinitions,
        membership: Membership,
        puller: Puller,
        *,
        msp_id: str,
        identity: bytes,
        threshold: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        skip_invalid: bool = False,
    ) -> None:
        self._ledger = ledger
        self._definitions = definitions
        self._membership = membership
        self._puller = puller
        self._msp_id = msp_id
        self._identity = identity
        self._threshold = threshold
        self._clock = clock
        self._sleep = sleep
        self._skip_invalid = skip_invalid

    def gather(self, number: int, transactions: Sequence[BlockTransaction]) -> Gathered:
        """Look for a block's private data in the transient store; from any thread.

        transactions: past stage A.
        """
        writers = [t for t in transactions if t.rwset is not None and t.rwset.has_private_writes]
        if not writers:
            return Gathered()
        kept = {(row.tx, row.namespace, row.collection): row for row in self._ledger.kept(writers)}
        rows, missing, needs = [], [], []
        query = self._ledger.query_executor()
        try:
            for need in self._needs(number, writers, query):
                digest = need.wanted.digest
                row = kept.get((digest.tx, digest.namespace, digest.collection))
                if not is_own(need.wanted.config, self._msp_id, self._membership, self._identity):
                    missing.append(_missing(need)._replace(wanted=False))
                elif row is not None:
                    rows.append(row)
                else:
                    needs.append(need)
        finally:
            query.done()
        return Gathered(rows, missing, needs)

    async def complete(self, gathered: Gathered) -> PrivateBlockData:
        """Ask other members for what was not at hand, no longer than the threshold."""
        rows, missing = list(gathered.rows), list(gathered.missing)
        needs = {need.wanted.digest: need for need in gathered.needs}
        end = self._clock() + self._threshold
        while open_needs := [n for n in needs.values() if not (n.invalid and self._skip_invalid)]:
            pulled = await self._puller.pull([need.wanted for need in open_needs])
            for digest, sets in pulled.found.items():
                need = needs.pop(digest)
                row = _matching(need, sets)
                if row is not None:
                    rows.append(row)
                else:
                    missing.append(_missing(need))
            for digest in pulled.expiring:
                needs.pop(digest)
            if not pulled.asked or not needs or self._clock() >= end:
                break
            await self._sleep(PAUSE)
        missing += [_missing(need) for need in needs.values()]
        if needs:
            logger.warning(
                "%d private sets could not be had in time; the block commits without", len(needs)
            )
        return PrivateBlockData(rows, missing)

    def _needs(
        self, number: int, writers: Sequence[BlockTransaction], query: StateQuery
    ) -> Iterator[Need]:
        """All private data of a block whose collections are known, had or not."""
        for transaction in writers:
            assert transaction.rwset is not None
            for ns in transaction.rwset.namespaces:
                for coll in ns.collections:
                    config = self._config(ns.namespace, coll.name, query)
                    if not coll.pvt_hash or config is None:
                        continue
                    digest = Digest(
                        transaction.tx_id, ns.namespace, coll.name, number, transaction.index
                    )
                    wanted = Wanted(digest, config, _endorsed(transaction, config))
                    yield Need(wanted, coll, not transaction.valid)

    def _config(
        self, namespace: str, collection: str, query: StateQuery
    ) -> StaticCollectionConfig | None:
        try:
            return self._definitions.collection(namespace, collection, query)
        except LifecycleStateError:
            return None


def _endorsed(
    transaction: BlockTransaction, config: StaticCollectionConfig
) -> Callable[[PeerInfo], bool]:
    """Whether a peer has endorsed the transaction as a member, and so simulated these writes."""
    members = member_organizations(config)
    endorsers = {
        endorsement.endorser
        for endorsement in transaction.endorsements
        if _msp_id(endorsement.endorser) in members
    }
    return lambda peer: peer.identity in endorsers


def _msp_id(identity: bytes) -> str:
    try:
        return parse(SerializedIdentity, identity).mspid
    except MalformedMessage:
        return ""


def _matching(need: Need, sets: Sequence[bytes]) -> PrivateRow | None:
    for rwset in sets:
        if is_committed(rwset, need.hashes):
            digest = need.wanted.digest
            return PrivateRow(digest.tx, digest.namespace, digest.collection, rwset)
    return None


def _missing(need: Need) -> MissingRow:
    digest = need.wanted.digest
    return MissingRow(digest.block, digest.tx, digest.namespace, digest.collection, True)
