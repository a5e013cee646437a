"""The context of one transaction, handed to every function (Fabric: TransactionContext)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar, overload

from .client_identity import ClientIdentity
from .errors import ResultError, StateError
from .serialization import Mismatch, read_json, write_json
from .stub import ChaincodeStub
from .type_hints import converter, hint_name

T = TypeVar("T")


class Context:
    """Gives a contract its ledger and its client.

    A contract that wants more (its own repositories, say) derives from it and names the class
    as ``context_class``; a context lives as long as its transaction.

    stub: the ledger and the transaction.
    """

    def __init__(self, stub: ChaincodeStub) -> None:
        self.stub = stub

    @cached_property
    def client_identity(self) -> ClientIdentity:
        """Who asked for the transaction."""
        return ClientIdentity.of(self.stub.get_creator())

    @overload
    def get(self, key: str, type_: type[T]) -> T | None: ...
    @overload
    def get(self, key: str, type_: Any = Any) -> Any: ...  # noqa: ANN401
    def get(self, key: str, type_: Any = Any) -> Any:
        """Return the object stored under ``key`` by :meth:`put`, None if there is none.

        type_: a class or type hint as for arguments (``Order``, ``list[str]``); StateError if
        the stored JSON is of another form.
        """
        data = self.stub.get_state(key)
        return self.decode(key, data, type_) if data else None

    def put(self, key: str, value: object) -> None:
        """Store ``value`` under ``key`` as deterministic JSON.

        StateError if the value, or one within it, has no such form (a float, a set).
        """
        self.stub.put_state(key, self.encode(key, value))

    def invoke(
        self,
        chaincode: str,
        function: str,
        *args: object,
        returns: Any = bytes,  # noqa: ANN401
        channel: str = "",
    ) -> Any:  # noqa: ANN401
        """Call a function of another chaincode with Python values and return its result.

        returns: type or type hint of the result, its bytes unless said otherwise.  A callee
        that fails fails this transaction with its message and status (ChaincodeError); use
        ``ctx.stub.invoke_chaincode`` to go on instead.
        """
        name = f"{chaincode}:{function}"
        free = converter(Any)
        try:
            encoded = [function.encode(), *(free.to_argument(arg) for arg in args)]
        except Mismatch as mismatch:
            raise ResultError(name, mismatch.sentence("the argument")) from None
        payload = self.stub.invoke_chaincode(chaincode, encoded, channel).unwrap()
        try:
            return converter(returns).from_argument(payload)
        except Mismatch as mismatch:
            raise ResultError(name, mismatch.sentence("the returned value")) from None

    @overload
    def decode(self, key: str, data: bytes, type_: type[T]) -> T: ...
    @overload
    def decode(self, key: str, data: bytes, type_: Any = Any) -> Any: ...  # noqa: ANN401
    def decode(self, key: str, data: bytes, type_: Any = Any) -> Any:
        """Return the object of stored JSON, such as ``ctx.decode(kv.key, kv.value, Order)``."""
        try:
            return converter(type_).from_json(read_json(data))
        except Mismatch as mismatch:
            raise StateError(key, mismatch.sentence("the value", hide=True)) from None
        except ValueError as error:
            reason = f"expected the JSON of {hint_name(type_)}: {error}"
            raise StateError(key, reason) from error

    def encode(self, key: str, value: object) -> bytes:
        """Return the deterministic JSON that :meth:`put` stores; key only names it in errors."""
        try:
            return write_json(converter(Any).to_json(value))
        except Mismatch as mismatch:
            raise StateError(key, mismatch.sentence("the value", hide=True)) from None
