"""A channel in memory on which contracts are deployed and called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import chaincode_pb2, proposal_pb2, proposal_response_pb2

from ..chaincode import Chaincode
from ..contract import Contract
from ..errors import ERROR_THRESHOLD, ChaincodeError
from ..iterators import KeyModification
from ..peer_link import ChaincodeMessage, PeerParameters
from ..type_hints import converter
from .identity import Identity
from .memory_state import MemoryState, Write
from .simulation import Deployment, Proposal, Simulation

_ERROR = 500


class NonDeterministic(GridloomError):
    """A transaction that did something else when it ran again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction that did not fail came to.

    event: (name, payload) or None; writes: in the order they were made.
    """

    tx_id: str
    payload: bytes
    event: tuple[str, bytes] | None
    writes: tuple[Write, ...]

    def value(self, type_: Any) -> Any:  # noqa: ANN401  # of the type asked for
        """Return the result as a type or type hint; Mismatch if it is of another form."""
        return converter(type_).from_argument(self.payload)

    @property
    def text(self) -> str:
        """The result as text."""
        return self.payload.decode()


class MemoryLedger:
    """One channel; see the package for how it is used.

    now: the time of the following transactions, to be set as a test goes on.
    check_determinism: run each transaction twice and raise NonDeterministic if they differ.
    parameters: what the peer allows; all of it unless said otherwise.
    development: put tracebacks into errors.
    """

    def __init__(
        self,
        channel_id: str = "mychannel",
        *,
        now: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC),
        check_determinism: bool = False,
        parameters: PeerParameters | None = None,
        development: bool = False,
    ) -> None:
        self.channel_id = channel_id
        self.now = now
        self.check_determinism = check_determinism
        self.events: list[tuple[str, str, bytes]] = []
        """(chaincode, name, payload) of the committed events."""
        self._parameters = parameters or PeerParameters(
            use_write_batch=True, use_get_multiple_keys=True, msp_id="Org1MSP"
        )
        self._development = development
        self._state = MemoryState()
        self._deployments: dict[str, Deployment] = {}
        self._client: Identity | None = None
        self._proposals = 0

    def deploy(
        self,
        name: str,
        *contracts: Contract | Chaincode,
        collections: Iterable[str] = (),
    ) -> DeployedChaincode:
        """Deploy contracts (or a Chaincode) under a name; again under the same name upgrades.

        collections: names of the private data collections it may use.
        """
        loaded = [each for each in contracts if isinstance(each, Chaincode)]
        plain = [each for each in contracts if isinstance(each, Contract)]
        chaincode = loaded[0] if loaded else Chaincode(plain, development=self._development)
        self._deployments[name] = Deployment(chaincode, frozenset(collections))
        return DeployedChaincode(self, name)

    @property
    def client(self) -> Identity:
        """Who transacts when a test does not say: ``user1`` of Org1MSP."""
        if self._client is None:
            self._client = Identity.create("Org1MSP", "user1")
        return self._client

    @property
    def state(self) -> MemoryState:
        """The committed state."""
        return self._state

    def transact(
        self,
        chaincode: str,
        args: Sequence[object],
        *,
        by: Identity | None = None,
        transient: Mapping[str, bytes] | None = None,
        is_init: bool = False,
        commit: bool = True,
    ) -> Outcome:
        """Run a transaction and commit its writes; ChaincodeError if it fails.

        args: the function's name, then Python values, each in its form as an argument.
        """
        if chaincode not in self._deployments:
            raise ChaincodeError(f"chaincode {chaincode} is not deployed")
        proposal = self._propose(chaincode, args, by or self.client, transient or {}, is_init)
        simulation = self._simulation(proposal)
        answer = simulation.run()
        if self.check_determinism:
            again = self._simulation(proposal)
            _compare(simulation, again, _bytes(answer), _bytes(again.run()))
        outcome = _outcome(proposal.tx_id, answer, simulation.writes)
        if commit:
            self._state.commit(proposal.tx_id, self.now, simulation.writes)
            if outcome.event is not None:
                self.events.append((chaincode, *outcome.event))
        return outcome

    def _simulation(self, proposal: Proposal) -> Simulation:
        return Simulation(self._state, self._deployments, proposal, self._parameters)

    def _propose(
        self,
        chaincode: str,
        args: Sequence[object],
        client: Identity,
        transient: Mapping[str, bytes],
        is_init: bool,
    ) -> Proposal:
        self._proposals += 1
        nonce = self._proposals.to_bytes(24, "big")
        tx_id = hashlib.sha256(nonce + client.serialized).hexdigest()
        encoded = tuple(converter(Any).to_argument(arg) for arg in args)
        channel_header = common_pb2.ChannelHeader(
            type=common_pb2.ENDORSER_TRANSACTION,
            channel_id=self.channel_id,
            tx_id=tx_id,
            timestamp=_timestamp(self.now),
        )
        signature_header = common_pb2.SignatureHeader(creator=client.serialized, nonce=nonce)
        spec = chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_pb2.ChaincodeID(name=chaincode),
            input=chaincode_pb2.ChaincodeInput(args=encoded, is_init=is_init),
        )
        payload = proposal_pb2.ChaincodeProposalPayload(
            input=chaincode_pb2.ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString(),
            TransientMap=transient,
        )
        header = common_pb2.Header(
            channel_header=channel_header.SerializeToString(),
            signature_header=signature_header.SerializeToString(),
        )
        proposal = proposal_pb2.Proposal(
            header=header.SerializeToString(), payload=payload.SerializeToString()
        )
        signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString())
        return Proposal(self.channel_id, tx_id, chaincode, encoded, signed, is_init)


@dataclass(frozen=True, slots=True)
class DeployedChaincode:
    """A chaincode of a memory ledger."""

    ledger: MemoryLedger
    name: str

    def submit(
        self,
        function: str,
        *args: object,
        by: Identity | None = None,
        transient: Mapping[str, bytes] | None = None,
        is_init: bool = False,
    ) -> Outcome:
        """Run a transaction and commit its writes; ChaincodeError if it fails."""
        return self.ledger.transact(
            self.name, [function, *args], by=by, transient=transient, is_init=is_init
        )

    def evaluate(
        self,
        function: str,
        *args: object,
        by: Identity | None = None,
        transient: Mapping[str, bytes] | None = None,
    ) -> Outcome:
        """Run a transaction without committing anything; ChaincodeError if it fails."""
        return self.ledger.transact(
            self.name, [function, *args], by=by, transient=transient, commit=False
        )

    @property
    def state(self) -> dict[str, bytes]:
        """The committed public state, in key order."""
        return dict(self.ledger.state.range(self.name, "", "", ""))

    def private_state(self, collection: str) -> dict[str, bytes]:
        """Return what a collection holds, in key order."""
        return dict(self.ledger.state.range(self.name, collection, "", ""))

    def history(self, key: str) -> list[KeyModification]:
        """Return the committed writes of a key, newest first."""
        return self.ledger.state.history(self.name, key)

    def put_state(self, key: str, value: bytes, collection: str = "") -> None:
        """Put a value in place without a transaction."""
        self.ledger.state.commit("", self.ledger.now, [Write(self.name, collection, key, value)])


def _outcome(tx_id: str, answer: Any, writes: Sequence[Write]) -> Outcome:  # noqa: ANN401
    if answer.type != ChaincodeMessage.COMPLETED:
        raise ChaincodeError(answer.payload.decode(errors="replace"), status=_ERROR)
    response = proposal_response_pb2.Response.FromString(answer.payload)
    if response.status >= ERROR_THRESHOLD:
        raise ChaincodeError(response.message, status=response.status)
    event = None
    if answer.HasField("chaincode_event"):
        event = (answer.chaincode_event.event_name, answer.chaincode_event.payload)
    return Outcome(tx_id, response.payload, event, tuple(writes))


def _compare(first: Simulation, second: Simulation, *answers: bytes) -> None:
    for place, (one, other) in enumerate(
        zip(first.requests, second.requests, strict=False), start=1
    ):
        if one != other:
            raise NonDeterministic(
                f"request {place} differs: {_request(one)} and then {_request(other)}"
            )
    if len(first.requests) != len(second.requests):
        counts = f"{len(first.requests)} and then {len(second.requests)}"
        raise NonDeterministic(f"the number of requests to the ledger differs: {counts}")
    if answers[0] != answers[1]:
        raise NonDeterministic(f"the answer differs: {answers[0]!r} and then {answers[1]!r}")


def _request(request: tuple[str, str, bytes]) -> str:
    chaincode, name, payload = request
    return f"{chaincode} {name} {payload!r}"


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
