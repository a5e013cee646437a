"""A plan of whom to ask for endorsements, kept up to date as answers come in.

Pure bookkeeping: layouts still possible, peers not yet asked, endorsements collected
(Fabric: internal/pkg/gateway/endorsement.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gridloom.protos.gateway.gateway_pb2 import ErrorDetail
from gridloom.protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from ..discovery.peers import PeerInfo


class _Layout:
    """One way to satisfy the policy: what it still needs of each group, and what it has."""

    def __init__(self, needed: Mapping[str, int]) -> None:
        self.needed = dict(needed)
        self.endorsements: list[Endorsement] = []


class Plan:
    """Layouts in order of preference over groups of peers.

    Each peer counts for one group only.  ``completed`` holds the endorsements of the first
    layout that was satisfied; ``errors`` what went wrong with single peers.
    """

    def __init__(
        self, layouts: Sequence[Mapping[str, int]], groups: Mapping[str, Iterable[PeerInfo]]
    ) -> None:
        self._layouts: list[_Layout | None] = [_Layout(layout) for layout in layouts]
        self._waiting = {group: list(peers) for group, peers in groups.items()}
        self._group = {
            peer.endpoint: group for group, peers in self._waiting.items() for peer in peers
        }
        self._next = 0
        self.response_payload: bytes | None = None
        self.completed: Sequence[Endorsement] | None = None
        self.errors: list[ErrorDetail] = []

    def endorsers(self) -> list[PeerInfo]:
        """Return the peers to ask for the next layout that is still possible; [] for none."""
        while self._next < len(self._layouts):
            layout = self._layouts[self._next]
            if layout is not None:
                if all(len(self._waiting[g]) >= n for g, n in layout.needed.items()):
                    return [
                        self._waiting[group].pop(0)
                        for group, count in layout.needed.items()
                        for _ in range(count)
                    ]
                self._layouts[self._next] = None
            self._next += 1
        return []

    def next_in_group(self, peer: PeerInfo) -> PeerInfo | None:
        """Return who to ask instead of ``peer``; None gives its group up."""
        waiting = self._waiting[self._group[peer.endpoint]]
        return waiting.pop(0) if waiting else None

    def abandon_group_of(self, peer: PeerInfo) -> None:
        """Drop every layout that still needs the group of ``peer``."""
        group = self._group[peer.endpoint]
        for index in range(self._next, len(self._layouts)):
            layout = self._layouts[index]
            if layout is not None and group in layout.needed:
                self._layouts[index] = None

    def next_layout(self) -> None:
        """Leave the current layout, whatever became of it."""
        self._next += 1

    def accept(self, peer: PeerInfo, response: ProposalResponse) -> bool:
        """Count an endorsement; False (and an error detail) if its payload differs."""
        group = self._group.get(peer.endpoint)
        if group is not None:
            waiting = self._waiting[group]
            waiting[:] = [other for other in waiting if other.endpoint != peer.endpoint]
        if self.response_payload is None:
            self.response_payload = response.payload
        elif self.response_payload != response.payload:
            self.fail(peer, "ProposalResponsePayloads do not match")
            return False
        for layout in self._layouts[self._next :]:
            if layout is None or group is None or group not in layout.needed:
                continue
            layout.endorsements.append(response.endorsement)
            layout.needed[group] -= 1
            if not layout.needed[group]:
                del layout.needed[group]
                if not layout.needed:
                    self.completed = layout.endorsements
                    return True
        return True

    def fail(self, peer: PeerInfo, message: str) -> None:
        """Remember what went wrong with a peer."""
        self.errors.append(error_detail(peer, message))


def error_detail(peer: PeerInfo, message: str) -> ErrorDetail:
    """Return what a client gets to see of one peer's failure."""
    return ErrorDetail(address=peer.endpoint, msp_id=peer.msp_id, message=message)
