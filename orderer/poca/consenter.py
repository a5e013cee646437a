"""The consenter of type ``poca``: makes chains for the channels this orderer mines on."""

from __future__ import annotations

import random
from collections.abc import Callable

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import Signer
from gridloom.common.poca import CONSENSUS_TYPE, read_config

from ..chain import ConsenterSupport, CuttingMode, Timer, loop_timer
from .chain import Fellows, PocaChain
from .votes import MemoryVotes, VoteStore

__all__ = ["CONSENSUS_TYPE", "NobodyElse", "PocaConsenter"]


class NobodyElse:
    """The fellows of a consenter that is alone."""

    def send(self, to: int, message: bytes) -> None:
        """There is nobody to send to."""


class PocaConsenter:
    """Makes chains; fellows, votes: of a channel; random: for pauses between attempts."""

    onboards = False

    def __init__(
        self,
        signer: Signer,
        cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT,
        timer: Timer = loop_timer,
        *,
        fellows: Callable[[str], Fellows] = lambda channel_id: NobodyElse(),
        votes: Callable[[str], VoteStore] = lambda channel_id: MemoryVotes(),
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._signer = signer
        self._cutting = cutting
        self._timer = timer
        self._fellows = fellows
        self._votes = votes
        self._jitter = jitter

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> PocaChain:
        """Make the chain of a channel; MalformedMessage, ChainUnavailable."""
        return PocaChain(
            support,
            self._signer,
            self._fellows(support.channel_id),
            self._votes(support.channel_id),
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
        self._votes(channel_id).clear()
