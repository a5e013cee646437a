"""Remembering who can endorse what, until something it depends on changes.

Working out a descriptor takes longer than a simulation, and busy networks ask the same again
and again (Fabric: discovery's authorisation and policy caches).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import is_
from typing import NamedTuple

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeInterest

from ..chaincodes.lifecycle.definitions import ChaincodeDefinition
from .endorsement import EndorsementDescriptor, describe_endorsers
from .interest_policies import FindDefinition
from .peers import PeerInfo

LIMIT = 256
"""Descriptors remembered of one channel; interests are as many as there are key policies."""

_Definitions = dict[str, ChaincodeDefinition | None]
_Key = tuple[
    bytes, tuple[ChaincodeDefinition | None, ...], tuple[tuple[str, bytes, tuple[bool, ...]], ...]
]


class EndorsementDescriptors:
    """The descriptors of one channel.

    One holds for a configuration, the definitions of the chaincodes involved, the peers and
    their identities, and which of these chaincodes each of them runs.  Nothing else matters:
    identities are judged without regard to the time.  Between two blocks all of these are even
    the same objects.
    """

    def __init__(self) -> None:
        self._bundle: ChannelBundle | None = None
        self._known: dict[_Key, EndorsementDescriptor] = {}
        self._latest: dict[bytes, _Latest] = {}

    def find(
        self,
        bundle: ChannelBundle,
        find: FindDefinition,
        peers: Sequence[PeerInfo],
        interest: ChaincodeInterest,
    ) -> EndorsementDescriptor:
        """Return who can endorse; NoEndorsers if nobody can."""
        if bundle is not self._bundle:
            self._bundle, self._known, self._latest = bundle, {}, {}
        definitions = {call.name: find(call.name) for call in interest.chaincodes}
        asked = interest.SerializeToString(deterministic=True)
        latest = self._latest.get(asked)
        if latest is None or not latest.holds(definitions.values(), peers):
            found = self._describe(bundle, definitions, peers, interest)
            latest = _Latest(tuple(definitions.values()), tuple(peers), found)
            if len(self._latest) >= LIMIT:
                self._latest.clear()
            self._latest[asked] = latest
        return latest.descriptor

    def _describe(
        self,
        bundle: ChannelBundle,
        definitions: _Definitions,
        peers: Sequence[PeerInfo],
        interest: ChaincodeInterest,
    ) -> EndorsementDescriptor:
        key = _key(definitions, peers, interest)
        descriptor = self._known.get(key)
        if descriptor is None:
            descriptor = describe_endorsers(bundle, definitions.get, peers, interest)
            if len(self._known) >= LIMIT:
                self._known.clear()
            self._known[key] = descriptor
        return descriptor


class _Latest(NamedTuple):
    """A descriptor and the very objects it was found for."""

    definitions: tuple[ChaincodeDefinition | None, ...]
    peers: tuple[PeerInfo, ...]
    descriptor: EndorsementDescriptor

    def holds(
        self, definitions: Collection[ChaincodeDefinition | None], peers: Sequence[PeerInfo]
    ) -> bool:
        """Whether these are they."""
        return (
            len(peers) == len(self.peers)
            and len(definitions) == len(self.definitions)
            and all(map(is_, peers, self.peers))
            and all(map(is_, definitions, self.definitions))
        )


def _key(
    definitions: _Definitions,
    peers: Sequence[PeerInfo],
    interest: ChaincodeInterest,
) -> _Key:
    sequences = [(name, found.sequence) for name, found in definitions.items() if found]
    roster = tuple(
        (peer.endpoint, peer.identity, tuple(peer.runs(*each) for each in sequences))
        for peer in peers
    )
    return interest.SerializeToString(deterministic=True), tuple(definitions.values()), roster
