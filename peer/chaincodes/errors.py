"""What goes wrong on the peer's side of a chaincode; the texts are Fabric's.

GridloomError
  ChaincodeHostError
    ChaincodeNotFound       no definition, in neither lifecycle
    ChaincodeNotRunnable    defined, but not approved or not installed here
    InvalidInvocation       init out of turn, or the definition could not be read
    LaunchFailed            the package could not be started or dialled
    ExecutionFailed         timeout, stream lost, or the chaincode answered ERROR
    PackageNotFound         no package with this id is installed
    ShimRequestRefused      a request of a chaincode the peer does not serve
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError

EXECUTION_TIMEOUT = "timeout expired while executing transaction"
STREAM_TERMINATED = "chaincode stream terminated"


class ChaincodeHostError(GridloomError):
    """Root of this branch; reason is the text a client reads."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ChaincodeNotFound(ChaincodeHostError):
    """No chaincode is defined under this name on the channel."""

    def __init__(self, name: str) -> None:
        super().__init__(f"chaincode {name} not found")
        self.name = name


class ChaincodeNotRunnable(ChaincodeHostError):
    """Defined on the channel, but this peer's organisation cannot run it."""


class InvalidInvocation(ChaincodeHostError):
    """The invocation does not fit the chaincode's definition."""


class LaunchFailed(ChaincodeHostError):
    """A chaincode package that did not start; package_id names it."""

    def __init__(self, package_id: str, reason: str) -> None:
        super().__init__(f"could not launch chaincode {package_id}: {reason}")
        self.package_id = package_id


class ExecutionFailed(ChaincodeHostError):
    """A transaction that did not complete."""


class PackageNotFound(ChaincodeHostError):
    """No installed package has this id."""

    def __init__(self, package_id: str) -> None:
        super().__init__(f"chaincode install package '{package_id}' not found")
        self.package_id = package_id


class AlreadyInstalled(ChaincodeHostError):
    """This very package has been installed before."""

    def __init__(self, package_id: str) -> None:
        super().__init__(f"chaincode already successfully installed (package ID '{package_id}')")
        self.package_id = package_id


class ShimRequestRefused(ChaincodeHostError):
    """A chaincode asked for what the peer will not do; the chaincode reads the reason."""
