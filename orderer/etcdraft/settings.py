"""How a node serves its Raft chains (Fabric: orderer/consensus/etcdraft/chain.go ``Options``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gridloom.common.channel.bundle import ChannelBundle

from ..chain import CuttingMode, Timer
from ..cluster.dialer import Dial


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """How a node serves its chains, whatever the channel; times in seconds.

    submit_timeout: for a message to get into a block; eviction_suspicion: without a leader, until
    the node asks whether it is still a member; is_member: whether a configuration names it.
    """

    cutting: CuttingMode
    timer: Timer
    submit_timeout: float
    eviction_suspicion: float
    is_member: Callable[[ChannelBundle], bool]
    dial: Dial
