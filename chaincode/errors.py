"""What goes wrong in and around chaincode.

    GridloomError
    ├── ContractError          a contract class that cannot be compiled
    ├── LoadError              a package or folder that holds no loadable chaincode
    ├── HandshakeError         a peer that speaks out of turn on the stream
    ├── SettingsError          a chaincode service told too little, or nonsense
    └── ChaincodeError         a transaction that fails; its message is what the client reads
        ├── ArgumentError      arguments that do not fit the function's parameters
        ├── ResultError        a returned value that does not fit the declared one
        ├── UnknownFunction    no such function or contract
        ├── InvalidKey         a state key, collection or event name Fabric does not allow
        ├── StateError         a value on the ledger that is not of the expected type
        └── PeerError          a request the peer refused

Raise ChaincodeError, or a subclass of your own, to fail a transaction on purpose
(Fabric: shim.Error, status 500).
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError

ERROR_THRESHOLD = 400
"""Statuses from here on are failures that no peer endorses (Fabric: shim.ERRORTHRESHOLD)."""


class ContractError(GridloomError):
    """A contract class that cannot be compiled; where: ``Orders.publish`` or so."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class LoadError(GridloomError):
    """A chaincode that cannot be loaded; what: the package, folder or module."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason


class SettingsError(GridloomError):
    """A setting of the chaincode service that is missing or cannot be used."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason


class HandshakeError(GridloomError):
    """A message of the peer in a state that does not allow it; the stream ends with it."""

    def __init__(self, state: str, message_type: str) -> None:
        super().__init__(f"the peer sent {message_type} while the stream was {state}")
        self.state = state
        self.message_type = message_type


class ChaincodeError(GridloomError):
    """A transaction that fails with a message for the client.

    status: 400 to 599, 500 unless said otherwise.  400 to 499 are answered without a payload
    by the peer, 500 and above with one; neither is endorsed.
    """

    def __init__(self, message: str, *, status: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.status = max(status, ERROR_THRESHOLD)


class ArgumentError(ChaincodeError):
    """Arguments that do not fit; parameter is empty when their number is wrong.

    function: ``contract:function``; expected: the type as written; value: what was given.
    """

    def __init__(
        self, function: str, message: str, *, parameter: str = "", expected: str = "", value: object
    ) -> None:
        super().__init__(f"{function}: {message}")
        self.function = function
        self.parameter = parameter
        self.expected = expected
        self.value = value


class ResultError(ChaincodeError):
    """A function returned a value that is not of the type it declares."""

    def __init__(self, function: str, message: str) -> None:
        super().__init__(f"{function}: {message}")
        self.function = function


class UnknownFunction(ChaincodeError):
    """Asked for a function that does not exist; the words are those scripts look for."""

    def __init__(self, function: str) -> None:
        super().__init__(f"You've asked to invoke a function that does not exist: {function}")
        self.function = function


class InvalidKey(ChaincodeError):
    """A key, collection or event name that Fabric does not allow."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class StateError(ChaincodeError):
    """The value under ``key`` is not what the contract expects there."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"state {key!r}: {message}")
        self.key = key


class PeerError(ChaincodeError):
    """The peer refused a request; the message is its own text.

    request: name of the message type, ``GET_STATE`` and so on.
    """

    def __init__(self, request: str, message: str) -> None:
        super().__init__(message or f"{request} failed")
        self.request = request
