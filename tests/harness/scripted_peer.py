"""A peer that answers shim requests from a script and remembers what it was asked."""

from collections.abc import Callable

from gridloom.chaincode import ChaincodeStub, PeerParameters
from gridloom.chaincode.peer_link import ChaincodeMessage, PeerLink
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInput
from gridloom.protos.peer.proposal_pb2 import SignedProposal


class ScriptedPeer:
    """Answers the n-th request with the n-th payload; an Exception is answered as ERROR."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[ChaincodeMessage] = []

    def __call__(self, request: ChaincodeMessage) -> ChaincodeMessage:
        self.asked.append(request)
        answer = self._answers.pop(0) if self._answers else b""
        if isinstance(answer, Exception):
            return ChaincodeMessage(type=ChaincodeMessage.ERROR, payload=str(answer).encode())
        return ChaincodeMessage(type=ChaincodeMessage.RESPONSE, payload=answer)

    @property
    def types(self) -> list[str]:
        return [ChaincodeMessage.Type.Name(each.type) for each in self.asked]


def stub_for(
    peer: Callable[[ChaincodeMessage], ChaincodeMessage],
    *args: bytes,
    parameters: PeerParameters | None = None,
    proposal: SignedProposal | None = None,
) -> ChaincodeStub:
    """Return the stub of transaction t1 on channel c1."""
    link = PeerLink(peer, "c1", "t1", parameters or PeerParameters())
    return ChaincodeStub(link, ChaincodeInput(args=args), proposal)
