"""Is this invocation in order: init exactly once for each version, if the definition says so.

The read of the "initialized" key stands in the read set of every transaction of such a
chaincode.  (Fabric: CheckInvocation of core/chaincode/chaincode_support.go)
"""

from __future__ import annotations

from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from ..ledger.simulator import TxSimulator
from .errors import InvalidInvocation
from .invocation import Invocation
from .lifecycle.endorsement_info import EndorsementInfo

INITIALIZED_KEY = "\x00\U0010ffffinitialized"
"""Holds the version a chaincode was last initialized at, in the chaincode's own namespace."""


def message_type(
    call: Invocation, info: EndorsementInfo, simulator: TxSimulator
) -> ChaincodeMessage.Type.ValueType:
    """Return INIT or TRANSACTION; an INIT notes the version as initialized.

    Raises InvalidInvocation for an init out of turn and for a missing one.
    """
    uninitialized = False
    if info.init_required:
        version = simulator.get_state(call.name, INITIALIZED_KEY)
        uninitialized = version != info.version.encode()
    if not call.input.is_init:
        if uninitialized:
            raise InvalidInvocation(
                f"chaincode '{call.name}' has not been initialized for this version, "
                "must call as init first"
            )
        return ChaincodeMessage.TRANSACTION
    if not info.init_required:
        raise InvalidInvocation(
            f"chaincode '{call.name}' does not require initialization but called as init"
        )
    if not uninitialized:
        raise InvalidInvocation(
            f"chaincode '{call.name}' is already initialized but called as init"
        )
    simulator.set_state(call.name, INITIALIZED_KEY, info.version.encode())
    return ChaincodeMessage.INIT
