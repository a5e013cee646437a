"""Looking again for private data that were missing when their block was committed.

Every so often the newest blocks that miss any are asked for, a batch at a time.  What nobody
had who should have it is asked for more seldom.  (Fabric: gossip/privdata/reconcile.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gridloom.common.errors import GridloomError

from ..discovery.peers import PeerInfo
from ..ledger.ledger import Ledger
from ..ledger.reconciliation import LatePrivateData
from ..ledger.store import MissingRow
from .configs import CollectionConfigs
from .digests import Digest, Wanted
from .membership import Membership
from .puller import Puller

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReconcilerOptions:
    """How often and how much (Fabric: core.yaml, peer.gossip.pvtData).

    interval: seconds between two runs; batch: blocks asked for at once; unavailable_interval:
    seconds until what nobody had is asked for again.
    """

    interval: float = 60.0
    batch: int = 10
    unavailable_interval: float = 3600.0


class Reconciler:
    """Finds missing private data of one channel.

    clock: seconds that only grow; sleep: waits seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        configs: CollectionConfigs,
        membership: Membership,
        puller: Puller,
        options: ReconcilerOptions,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._ledger = ledger
        self._configs = configs
        self._membership = membership
        self._puller = puller
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._next_unavailable = clock() + options.unavailable_interval

    async def run(self) -> None:
        """Reconcile every so often, until cancelled."""
        while True:
            await self._sleep(self._options.interval)
            try:
                await self.reconcile()
            except GridloomError:
                logger.exception("private data could not be reconciled")

    async def reconcile(self) -> int:
        """Ask once for everything that is missing; return how many sets came."""
        unavailable = self._clock() >= self._next_unavailable
        if unavailable:
            self._next_unavailable = self._clock() + self._options.unavailable_interval
        below, came = self._ledger.height, 0
        while missing := await asyncio.to_thread(
            self._ledger.missing, self._options.batch, below, unavailable=unavailable
        ):
            below = min(row.block for row in missing)
            came += await self._fetch(missing)
        if came:
            logger.info("%d private sets have come late", came)
        return came

    async def _fetch(self, missing: Sequence[MissingRow]) -> int:
        wanted = {
            digest: each
            for row in missing
            if (each := self._wanted(row))
            for digest in [each.digest]
        }
        pulled = await self._puller.pull(list(wanted.values()))
        found = [
            LatePrivateData(digest.block, digest.tx, digest.namespace, digest.collection, rwset)
            for digest, sets in pulled.found.items()
            for rwset in sets[:1]
        ]
        in_vain = (pulled.answered | pulled.expiring) - pulled.found.keys()
        unavailable = [row for row in missing if _digest(row) in in_vain]
        refused = await asyncio.to_thread(self._ledger.reconcile, found, unavailable)
        for late in refused:
            logger.warning(
                "private data of block %d, transaction %d, chaincode %s, collection %s are not "
                "what was committed",
                *late[:4],
            )
        return len(found) - len(refused)

    def _wanted(self, row: MissingRow) -> Wanted | None:
        """How to ask for a row: members of old first; None if the collection is unknown."""
        now = self._configs.now(row.namespace, row.collection)
        then = self._configs.before(row.namespace, row.collection, row.block)
        if now is None or then is None:
            return None

        def was_member(peer: PeerInfo) -> bool:
            return self._membership.admits(then, peer.identity)

        return Wanted(_digest(row), now, was_member)


def _digest(row: MissingRow) -> Digest:
    return Digest("", row.namespace, row.collection, row.block, row.tx)
