"""A plan of whom to ask for endorsements, kept up to date as answers come in.

Pure bookkeeping: layouts still possible, peers not yet asked, endorsements collected
(Fabric: internal/pkg/gateway/endorsement.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.protos.gateway.gateway_pb2 import ErrorDetail
from gridloom.protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from ..discovery.layouts import Layout, assign
from ..discovery.peers import PeerInfo

MISMATCH = "ProposalResponsePayloads do not match"
UNENDORSED = "the peer did not endorse its response"


class Plan:
    """Layouts in order of preference over groups of peers.

    A peer that fails is replaced by the next one of its group; where there is none, the next
    layout is tried with what has been collected so far.  ``errors`` holds what went wrong with
    single peers; ``response_payload`` what all endorsers signed.
    """

    def __init__(self, layouts: Sequence[Layout], groups: Mapping[str, Sequence[PeerInfo]]) -> None:
        self._layouts = list(layouts)
        self._peers = {peer.endpoint: peer for peers in groups.values() for peer in peers}
        self._groups = {name: [p.endpoint for p in peers] for name, peers in groups.items()}
        self._accepted: dict[str, Endorsement] = {}
        self._asked_for: dict[str, str] = {}
        self.response_payload = b""
        self.errors: list[ErrorDetail] = []

    def next_endorsers(self) -> list[PeerInfo]:
        """Return the peers to ask for what is still lacking, when no answer is awaited.

        Nothing when no layout can be satisfied any more.
        """
        while self._layouts:
            chosen = assign(self._layouts[0], self._groups, self._accepted)
            if chosen is not None:
                new = {peer: name for peer, name in chosen.items() if peer not in self._accepted}
                self._asked_for.update(new)
                return [self._peers[endpoint] for endpoint in new]
            del self._layouts[0]
        return []

    def replacement(self, failed: PeerInfo) -> PeerInfo | None:
        """Return another peer of the group that ``failed`` was asked for, None for no more."""
        group = self._asked_for[failed.endpoint]
        for endpoint in self._groups[group]:
            if endpoint not in self._asked_for:
                self._asked_for[endpoint] = group
                return self._peers[endpoint]
        return None

    def accept(self, peer: PeerInfo, response: ProposalResponse) -> bool:
        """Count an endorsement; False, and an error of the peer, if its payload is another."""
        if not response.HasField("endorsement"):
            self.fail(peer, UNENDORSED)
            return False
        if self._accepted and response.payload != self.response_payload:
            self.fail(peer, MISMATCH)
            return False
        self.response_payload = response.payload
        self._accepted[peer.endpoint] = response.endorsement
        self._asked_for.setdefault(peer.endpoint, "")
        return True

    def fail(self, peer: PeerInfo, message: str) -> None:
        """Remember what went wrong with a peer, and ask it no more."""
        self.errors.append(error_detail(peer, message))
        for group in self._groups.values():
            if peer.endpoint in group:
                group.remove(peer.endpoint)

    def endorsements(self) -> list[Endorsement] | None:
        """Return those of the first layout that is satisfied, None while there is none."""
        accepted = self._accepted
        small_enough = [each for each in self._layouts if sum(each.values()) <= len(accepted)]
        if not small_enough:
            return None
        collected = {
            name: [endpoint for endpoint in group if endpoint in accepted]
            for name, group in self._groups.items()
        }
        for layout in small_enough:
            used = assign(layout, collected)
            if used is not None:
                return [accepted[endpoint] for endpoint in accepted if endpoint in used]
        return None


def error_detail(peer: PeerInfo, message: str) -> ErrorDetail:
    """Return what a client gets to see of one peer's failure."""
    return ErrorDetail(address=peer.endpoint, msp_id=peer.msp_id, message=message)
