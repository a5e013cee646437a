"""Submits the market's transactions and keeps where on the ledger each one stands.

What is submitted here comes back as the chaincode's own result, once the transaction is
committed and valid.  (Fabric counterpart: an application on the Gateway SDK.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from gridloom.chaincode.type_hints import converter

from .errors import NotCommitted
from .tips import BlockSource, Tips

T = TypeVar("T")


class Status(Protocol):
    """Fate of a transaction, as the client SDK tells it."""

    @property
    def block_number(self) -> int: ...
    @property
    def successful(self) -> bool: ...
    @property
    def name(self) -> str: ...


class Submitted(Protocol):
    """A transaction on its way to be committed."""

    result: bytes
    transaction_id: str

    async def get_status(self) -> Status:
        """Wait for the commit."""


class Contract(Protocol):
    """One chaincode, as the client SDK offers it (client.Contract)."""

    async def submit_async(self, name: str, arguments: Sequence[str | bytes] = ()) -> Submitted:
        """Endorse and order a transaction."""


class Network(BlockSource, Protocol):
    """The market's channel, as the client SDK offers it (client.Network)."""

    def get_contract(self, chaincode_name: str) -> Contract:
        """A chaincode of the channel."""


class Signer(Protocol):
    """Signs with the key of the member's certificate (common.identities.SigningIdentity)."""

    def sign(self, message: bytes) -> bytes:
        """ECDSA with SHA-256 over message, DER."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody connected to the channel under a name of his own."""

    name: str
    msp_id: str
    network: Network
    signer: Signer


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Where a committed transaction stands; hour is None for the day's preparations."""

    hour: int | None
    chaincode: str
    function: str
    member: str
    transaction_id: str
    block: int


class Journal:
    """Submits in members' names and remembers every committed transaction.

    tips: of the peers that endorse; what is submitted next may build on what was before.
    """

    def __init__(self, tips: Tips) -> None:
        self.entries: list[LedgerEntry] = []
        self._tips = tips

    async def submit(
        self,
        member: Member,
        chaincode: str,
        function: str,
        *arguments: object,
        result: type[T],
        hour: int | None = None,
    ) -> T:
        """Run a transaction to its commit and return its result.

        arguments: Python values, each in its form as an argument.  Returns when every
        organisation's peer has committed it.  The client's errors pass through;
        NotCommitted if the transaction was found invalid.
        """
        encoded = [converter(Any).to_argument(argument) for argument in arguments]
        contract = member.network.get_contract(chaincode)
        submitted = await contract.submit_async(function, encoded)
        status = await submitted.get_status()
        transaction_id = submitted.transaction_id
        if not status.successful:
            raise NotCommitted(f"{chaincode}:{function}", transaction_id, status.name)
        self.entries.append(
            LedgerEntry(hour, chaincode, function, member.name, transaction_id, status.block_number)
        )
        await self._tips.reached(status.block_number)
        value: T = converter(result).from_argument(submitted.result)
        return value

    def of_hour(self, hour: int) -> tuple[LedgerEntry, ...]:
        """The hour's transactions in the order they were committed."""
        own = [entry for entry in self.entries if entry.hour == hour]
        return tuple(sorted(own, key=lambda entry: entry.block))
