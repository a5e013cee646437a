"""The request that calls another chaincode.

On the same channel the callee shares the simulator and writes to its own namespace; on
another channel it gets a simulator of that ledger whose writes are thrown away.
(Fabric: HandleInvokeChaincode of core/chaincode/handler.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.peer.chaincode_pb2 import ChaincodeSpec
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from ..acl import CHAINCODE_TO_CHAINCODE
from .errors import ShimRequestRefused
from .invocation import Answer, Invocation, Scope


def _invoke(scope: Scope, payload: bytes) -> bytes:
    spec = parse(ChaincodeSpec, payload)
    name, channel_id = _parse_name(spec.chaincode_id.name)
    caller = scope.invocation
    callee = replace(
        caller,
        channel_id=channel_id or caller.channel_id,
        name=name,
        input=spec.input,
        caller=caller.name,
    )
    if not scope.callees.is_system(name):
        scope.callees.acl.check_proposal(
            CHAINCODE_TO_CHAINCODE, callee.channel_id, caller.signed_proposal
        )
    if callee.channel_id == caller.channel_id:
        return _call(scope, callee)
    return _call_other_channel(scope, callee)


def _call_other_channel(scope: Scope, callee: Invocation) -> bytes:
    channel = scope.callees.channel(callee.channel_id)
    if channel is None:
        raise ShimRequestRefused(f"failed to find ledger for channel: {callee.channel_id}")
    simulator = channel.ledger.simulator(callee.tx_id)
    try:
        return _call(scope, replace(callee, simulator=simulator))
    finally:
        simulator.done()


def _call(scope: Scope, callee: Invocation) -> bytes:
    try:
        return scope.callees.call(callee).SerializeToString()
    except GridloomError as error:
        raise ShimRequestRefused(f"execute failed: {error}") from error


def _parse_name(name: str) -> tuple[str, str]:
    """Split "chaincode:version/channel" into chaincode and channel; the version is ignored."""
    chaincode, _, channel_id = name.partition("/")
    return chaincode.partition(":")[0], channel_id


CALLS: Mapping[int, Answer] = {ChaincodeMessage.INVOKE_CHAINCODE: _invoke}
