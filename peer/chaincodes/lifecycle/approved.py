"""What this peer can run on each channel, remembered until something may have changed it.

(Fabric: core/chaincode/lifecycle/cache.go)
"""

from __future__ import annotations

from collections.abc import Mapping

from ..resources import ChannelResources
from .definitions import (
    DEFINITION_TYPE,
    LIFECYCLE_NAMESPACE,
    NAMESPACES,
    StateQuery,
)
from .endorsement_info import (
    EndorsementInfo,
    LocalChaincode,
    local_chaincode,
    read_sequence,
    require_runnable,
)
from .installed import InstalledPackages
from .serializer import read_all_metadata
from .states import PublicQueryState

_AsOf = tuple[int, int]


class ApprovedChaincodes:
    """Definitions with the own organisation's approvals.

    An entry holds until a block changes the lifecycle's state, or a package is installed.
    """

    def __init__(self, packages: InstalledPackages) -> None:
        self.packages = packages
        self._known: dict[tuple[str, str], tuple[_AsOf, LocalChaincode | None]] = {}

    def as_of(self, channel: ChannelResources) -> tuple[int, int]:
        """Return what is different once anything of this may be."""
        return channel.ledger.changed_at(LIFECYCLE_NAMESPACE), self.packages.changes

    def endorsement_info(
        self, channel: ChannelResources, msp_id: str, name: str, simulator: StateQuery | None
    ) -> EndorsementInfo:
        """Return how to run ``name``; the committed sequence is read through ``simulator``.

        Raises ChaincodeNotFound or ChaincodeNotRunnable.
        """
        channel_id = channel.bundle.channel_id
        sequence = read_sequence(name, channel_id, simulator)
        return require_runnable(name, channel_id, sequence, self.local(channel, msp_id, name))

    def local(self, channel: ChannelResources, msp_id: str, name: str) -> LocalChaincode | None:
        """Return the committed definition of ``name`` with the approval of it, or None."""
        key = (channel.bundle.channel_id, name)
        as_of = self.as_of(channel)
        known = self._known.get(key)
        if known is not None and known[0] == as_of:
            return known[1]
        query = channel.ledger.query_executor()
        try:
            found = local_chaincode(name, msp_id, channel.definitions, query, self.packages)
        finally:
            query.done()
        self._known[key] = (as_of, found)
        return found

    def of_channel(self, channel: ChannelResources, msp_id: str) -> Mapping[str, LocalChaincode]:
        """Return all committed definitions of a channel by name."""
        query = channel.ledger.query_executor()
        try:
            metadata = read_all_metadata(NAMESPACES, PublicQueryState(query))
        finally:
            query.done()
        names = [name for name, found in metadata.items() if found.datatype == DEFINITION_TYPE]
        found = {name: self.local(channel, msp_id, name) for name in names}
        return {name: chaincode for name, chaincode in found.items() if chaincode is not None}
