"""The class an author derives from (Fabric: fabric-contract-api's Contract).

    class Orders(Contract):
        name = "orders"
        version = "1.0"

        @transaction
        def publish(self, ctx: Context, order: Order) -> None: ...

One object serves all transactions, several at a time: what a contract must remember belongs
on the ledger, not on ``self``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from .context import Context
from .errors import ContractError, UnknownFunction
from .stub import ChaincodeStub
from .transaction_function import (
    TransactionFunction,
    compile_function,
    mark_of,
    transaction,
)

__all__ = ["Contract", "transaction"]


class Contract:
    """A named group of transaction functions.

    name: prefix of its functions (``orders:publish``); the class name unless set.
    title, version, description: for the chaincode's metadata; the docstring describes a
    contract that does not do so itself.
    context_class: of the context its functions get.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    version: ClassVar[str] = ""
    description: ClassVar[str] = ""
    context_class: ClassVar[type[Context]] = Context

    functions: ClassVar[Mapping[str, TransactionFunction]] = MappingProxyType({})
    """The compiled transaction functions by the names clients use."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            cls.name = cls.__name__
        if "description" not in cls.__dict__:
            cls.description = inspect.cleandoc(cls.__doc__ or "")
        if not cls.name or ":" in cls.name:
            raise ContractError(cls.__name__, f"not a contract name: {cls.name!r}")
        cls.functions = MappingProxyType(_functions(cls))

    def create_context(self, stub: ChaincodeStub) -> Context:
        """Return the context of a transaction."""
        return self.context_class(stub)

    def before_transaction(self, ctx: Context) -> None:
        """Run before each function, once its arguments are converted; raise to refuse it."""

    def after_transaction(self, ctx: Context, result: object) -> None:
        """Run after each function that did not fail, with what it returned."""

    def unknown_transaction(self, ctx: Context) -> object:
        """Answer a call of a function that does not exist; fails unless overridden."""
        raise UnknownFunction(ctx.stub.get_function_and_parameters()[0])


def _functions(cls: type[Contract]) -> dict[str, TransactionFunction]:
    functions: dict[str, TransactionFunction] = {}
    for method in _method_names(cls):
        providers = [base for base in cls.__mro__ if method in base.__dict__]
        attribute = providers[0].__dict__[method]
        mark = mark_of(attribute)
        where = f"{cls.__name__}.{method}"
        if mark is None:
            if any(mark_of(base.__dict__[method]) for base in providers[1:]):
                raise ContractError(where, "overrides a transaction function: decorate it too")
            continue
        if hasattr(Contract, method):
            raise ContractError(where, "a hook cannot be a transaction function")
        function = compile_function(cls.name, method, attribute, mark)
        if function.name in functions:
            raise ContractError(where, f"there are two functions named {function.name}")
        functions[function.name] = function
    return functions


def _method_names(cls: type[Contract]) -> list[str]:
    """Names of all attributes, bases first, in the order they were written."""
    return list(dict.fromkeys(name for base in reversed(cls.__mro__) for name in base.__dict__))
