"""The consenter of type ``poca``: makes chains for the channels this orderer mines on."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import Signer
from gridloom.common.poca import CONSENSUS_TYPE, read_config
from gridloom.common.rpc import Channel
from gridloom.common.rpc.unreachable import UnreachableChannel

from ..chain import ConsenterSupport, CuttingMode, Timer, loop_timer
from .chain import PocaChain
from .fellows import Fellows
from .transport import PocaTransport
from .votes import FileVotes, MemoryVotes, VoteStore

__all__ = ["CONSENSUS_TYPE", "PocaConsenter"]


class PocaConsenter:
    """Makes chains.

    orderers: a way to the orderer at ``host:port``; votes: a folder for the votes, None for
    memory; fellows, stores: how a channel's consenters are reached and its votes kept, in
    place of those; jitter: see PocaChain.
    """

    onboards = False

    def __init__(
        self,
        signer: Signer,
        cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT,
        timer: Timer = loop_timer,
        *,
        orderers: Callable[[str], Channel] = UnreachableChannel,
        votes: Path | None = None,
        fellows: Callable[[str], Fellows] | None = None,
        stores: Callable[[str], VoteStore] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._signer = signer
        self._cutting = cutting
        self._timer = timer
        self._orderers = orderers
        self._votes = votes
        self._fellows = fellows or self._transport
        self._stores = stores or self._store
        self._jitter = jitter

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> PocaChain:
        """Make the chain of a channel; MalformedMessage, ChainUnavailable."""
        return PocaChain(
            support,
            self._signer,
            self._fellows(support.channel_id),
            self._stores(support.channel_id),
            cutting=self._cutting,
            timer=self._timer,
            jitter=self._jitter,
        )

    def is_member(self, bundle: ChannelBundle) -> bool:
        """Whether a configuration names this node as a consenter; MalformedMessage."""
        if bundle.orderer.consensus_type != CONSENSUS_TYPE:
            return False
        config = read_config(bundle.orderer.metadata)
        return config.number_of(self._signer.serialized) is not None

    def forget(self, channel_id: str) -> None:
        """Forget which proofs were voted for; a channel given up has no more of them."""
        self._stores(channel_id).clear()

    def _transport(self, channel_id: str) -> Fellows:
        return PocaTransport(channel_id, self._signer, self._orderers)

    def _store(self, channel_id: str) -> VoteStore:
        return MemoryVotes() if self._votes is None else FileVotes(self._votes / channel_id)
