"""One call of a ``_lifecycle`` function: on which channel, and through which state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from google.protobuf.message import Message

from gridloom.common.channel.bundle import ChannelBundle

from ...ledger.simulator import TxSimulator
from ..resources import ChannelResources, PeerResources
from .approved import ApprovedChaincodes
from .collections import implicit_collection
from .functions import LifecycleRefusal
from .states import CollectionState, PublicSimulatorState


@dataclass(frozen=True, slots=True)
class Step:
    """What a function is answered from; channel and simulator are None outside channels."""

    peer: PeerResources
    approved: ApprovedChaincodes
    channel_id: str
    channel: ChannelResources | None
    simulator: TxSimulator | None

    @property
    def bundle(self) -> ChannelBundle:
        """The channel's configuration; LifecycleRefusal outside channels."""
        if self.channel is None:
            raise LifecycleRefusal(f"could not get channelconfig for channel '{self.channel_id}'")
        return self.channel.bundle

    @property
    def public(self) -> PublicSimulatorState:
        """The public definitions; LifecycleRefusal outside channels."""
        return PublicSimulatorState(self.ledger_context())

    @property
    def own(self) -> CollectionState:
        """The own organisation's approvals; LifecycleRefusal outside channels."""
        return CollectionState(self.ledger_context(), implicit_collection(self.peer.msp_id))

    def organizations(self) -> dict[str, CollectionState]:
        """The approvals of every organisation of the channel, by MSP id."""
        if self.channel is None:
            raise LifecycleRefusal(f"no application config for channel '{self.channel_id}'")
        simulator = self.ledger_context()
        return {
            msp_id: CollectionState(simulator, implicit_collection(msp_id))
            for msp_id in sorted(self.bundle.application.orgs)
        }

    def ledger_context(self) -> TxSimulator:
        """The transaction's simulator; LifecycleRefusal outside channels."""
        if self.simulator is None:
            raise LifecycleRefusal("no ledger context")
        return self.simulator


class LifecycleFunction(NamedTuple):
    """A function: the type of its argument, and how it is answered."""

    args: type[Message]
    run: Callable[[Step, Any], Message]
