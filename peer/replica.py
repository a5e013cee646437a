"""A peer's endorser in a second process: it reads the ledgers that the peer commits to.

Python runs one thread of a process at a time, so a peer that shall use a second core needs a
second process.  This one holds nothing that is not on the disk: state, definitions and
configuration are followed block by block, and what only the peer itself can do, such as giving
out private data, is answered with UNIMPLEMENTED, so that the peer does it.
(Fabric has none: goroutines use all cores; docs/decisions/0027)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NoReturn

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import Clock
from gridloom.common.identities import Signer
from gridloom.common.msp import Msp
from gridloom.common.rpc import Call
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.msp import msp_config_pb2
from gridloom.protos.peer import proposal_pb2, proposal_response_pb2

from .acl import AccessControl
from .chaincodes.host import ChaincodeHost
from .chaincodes.lifecycle.committed import CommittedDefinitions
from .chaincodes.lifecycle.definitions import ChaincodeDefinition, ChaincodeDefinitions
from .channel import stored_bundle
from .endorser import Elsewhere, Endorser
from .ledger.followed_ledger import FollowedLedger
from .ledger.simulator import TxSimulator
from .private_data.distribution import PrivateWrites
from .validation.mvcc import CONFIG_NAMESPACE

REST_AFTER = 0.5
"""Seconds without a proposal after which no state is kept open."""


class Replica:
    """Endorses for one peer: protos.Endorser.

    signer, msp_config: the peer's; ledgers: by channel; host: runs the peer's chaincodes;
    endorser: answers upon what ``catch_up`` has found.
    """

    def __init__(
        self,
        signer: Signer,
        msp_config: msp_config_pb2.MSPConfig,
        ledgers: Mapping[str, FollowedLedger],
        host: ChaincodeHost,
        *,
        now: Clock,
        time_window: timedelta,
    ) -> None:
        self._msp = Msp.from_config(msp_config)
        self._channels = {
            channel_id: ReplicaChannel(ledger, self._msp.msp_id)
            for channel_id, ledger in ledgers.items()
        }
        self.acl = AccessControl(self._bundle, self._msp)
        self.host = host
        host.attach(self)
        self.endorser = Endorser(
            signer,
            self._msp,
            host,
            channels=self._known,
            access=self.acl,
            now=now,
            time_window=time_window,
        )
        self._resting: asyncio.TimerHandle | None = None
        self._last_asked = 0.0

    @property
    def msp_id(self) -> str:
        """MSP id of the peer's own organisation."""
        return self._msp.msp_id

    def channel(self, channel_id: str) -> ReplicaChannel | None:
        """A channel there was when this process began, None for another."""
        return self._channels.get(channel_id)

    def channel_ids(self) -> Sequence[str]:
        """Names of those channels, sorted."""
        return sorted(self._channels)

    async def process_proposal(
        self, request: proposal_pb2.SignedProposal, call: Call
    ) -> proposal_response_pb2.ProposalResponse:
        """Answer a proposal against what is committed now; RpcError as the endorser's own.

        UNIMPLEMENTED for what only the peer itself can answer.
        """
        self.catch_up()
        return await self.endorser.process_proposal(request, call)

    def catch_up(self) -> None:
        """Take up what has been committed since on every channel: chaincodes call others there."""
        loop = asyncio.get_running_loop()
        self._last_asked = loop.time()
        if self._resting is None:
            self._resting = loop.call_later(REST_AFTER, self._rest)
        for channel in self._channels.values():
            channel.follow()

    async def stop(self) -> None:
        """Stop the chaincodes and close the ledgers."""
        if self._resting is not None:
            self._resting.cancel()
        await self.host.stop()
        for channel in self._channels.values():
            channel.ledger.close()

    def join(self, genesis_block: Block) -> NoReturn:
        """Elsewhere: the peer joins channels."""
        raise Elsewhere("channels are joined by the peer itself")

    def join_by_snapshot(self, folder: str) -> NoReturn:
        """Elsewhere, as ``join``."""
        raise Elsewhere("channels are joined by the peer itself")

    @property
    def joining_from(self) -> None:
        """Nothing is joined here."""
        return None

    def _bundle(self, channel_id: str) -> ChannelBundle | None:
        channel = self._channels.get(channel_id)
        return None if channel is None else channel.bundle

    def _known(self, channel_id: str) -> ReplicaChannel:
        channel = self._channels.get(channel_id)
        if channel is None:
            raise Elsewhere(f"channel {channel_id} was joined after this process began")
        return channel

    def _rest(self) -> None:
        """Let go of the states, unless somebody has asked for something meanwhile."""
        loop = asyncio.get_running_loop()
        awake_until = self._last_asked + REST_AFTER
        if loop.time() < awake_until:
            self._resting = loop.call_at(awake_until, self._rest)
            return
        self._resting = None
        for channel in self._channels.values():
            channel.ledger.rest()


class ReplicaChannel:
    """One channel of the peer, as of its newest block."""

    def __init__(self, ledger: FollowedLedger, msp_id: str) -> None:
        self.ledger = ledger
        self.definitions = ChaincodeDefinitions(lambda: self.bundle.application.orgs, msp_id)
        self._committed = CommittedDefinitions(self.definitions, ledger)
        self.private_data = _Elsewhere()
        # In this order: a block that comes in between is taken up by the next follow().
        self._configured_at = ledger.changed_at(CONFIG_NAMESPACE)
        self.bundle = stored_bundle(ledger)
        ledger.collections = self.definitions

    @property
    def channel_id(self) -> str:
        """The channel's name."""
        return self.ledger.channel_id

    @property
    def height(self) -> int:
        """Of the ledger, as last followed."""
        return self.ledger.height

    def definition(self, name: str) -> ChaincodeDefinition | None:
        """The committed definition of a chaincode, None without one."""
        return self._committed.definition(name)

    def follow(self) -> None:
        """Take up the blocks that have come since, and what they say of the configuration."""
        if not self.ledger.follow():
            return
        configured_at = self.ledger.changed_at(CONFIG_NAMESPACE)
        if configured_at != self._configured_at:
            self._configured_at = configured_at
            self.bundle = stored_bundle(self.ledger)


class _Elsewhere:
    """Where private writes would go: the peer itself has to make them anew."""

    def writes(self, private: TxPvtReadWriteSet, simulator: TxSimulator) -> NoReturn:
        raise Elsewhere("private data are given out by the peer itself")

    async def distribute(self, tx_id: str, writes: Sequence[PrivateWrites], height: int) -> None:
        raise Elsewhere("private data are given out by the peer itself")
