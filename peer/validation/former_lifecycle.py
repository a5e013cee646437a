"""Chaincodes that a channel instantiated before it had Application capability V2_0.

They stay valid after the upgrade, under the policy that ``lscc`` wrote, until somebody defines
them anew.  (Fabric: core/scc/lscc ``ValidationInfo``, txvalidator/v20/valinforetriever)
"""

from __future__ import annotations

from gridloom.common.wire import parse
from gridloom.protos.peer import chaincode_pb2, policy_pb2

from ..chaincodes.lifecycle.definitions import ChaincodeDefinition, StateQuery

FORMER_NAMESPACE = "lscc"


def former_definition(name: str, query: StateQuery) -> ChaincodeDefinition | None:
    """What ``lscc`` holds under a chaincode's name, as a definition; None if nothing.

    Its signature policy becomes an ApplicationPolicy; it has sequence 0 and no collections,
    because the policy of a collection was the chaincode's.  MalformedMessage if the state
    holds something else there.
    """
    value = query.get_state(FORMER_NAMESPACE, name)
    if value is None:
        return None
    data = parse(chaincode_pb2.ChaincodeData, value, f"chaincode {name} of lscc")
    policy = b""
    if data.HasField("policy"):
        policy = policy_pb2.ApplicationPolicy(signature_policy=data.policy).SerializeToString()
    return ChaincodeDefinition(
        sequence=0,
        version=data.version,
        endorsement_plugin=data.escc,
        validation_plugin=data.vscc,
        validation_parameter=policy,
    )
