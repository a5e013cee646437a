"""What a simulation touched, in the words of discovery: whose endorsement it will need.

(Fabric: core/endorser/endorser.go ``buildChaincodeInterest``)
"""

from __future__ import annotations

from collections.abc import Callable

from gridloom.common.wire import parse
from gridloom.protos.common import policies_pb2
from gridloom.protos.peer import proposal_response_pb2

from .chaincodes.lifecycle.endorsement_info import LEGACY_NAMESPACE
from .ledger.simulator import SimulationResults
from .validation.endorsement import VALIDATION_PARAMETER


def chaincode_interest(
    results: SimulationResults, is_system_chaincode: Callable[[str], bool]
) -> proposal_response_pb2.ChaincodeInterest:
    """One call for each public namespace and one for each collection, in order of their names.

    The public call carries the policies of written keys that have their own, and says so if
    every key written there has one.  Namespaces of system chaincodes are left out.
    MalformedMessage if a key's committed policy does not parse.
    """
    required: dict[str, dict[str, bool]] = {}
    key_policies: dict[str, list[policies_pb2.SignaturePolicyEnvelope]] = {}
    for (namespace, collection), keys in results.written.items():
        places = required.setdefault(namespace, {"": False})
        for metadata in keys.values():
            policy = metadata.get(VALIDATION_PARAMETER)
            if policy is None:
                places[collection] = True
            else:
                envelope = parse(policies_pb2.SignaturePolicyEnvelope, policy)
                key_policies.setdefault(namespace, []).append(envelope)
    for namespace in results.namespaces:
        required.setdefault(namespace, {"": True})
    for namespace, collection in results.private_reads:
        required.setdefault(namespace, {})[collection] = True
    interest = proposal_response_pb2.ChaincodeInterest()
    for namespace in sorted(required):
        if is_system_chaincode(namespace) or namespace == LEGACY_NAMESPACE:
            continue
        for collection, policy_required in sorted(required[namespace].items()):
            if collection:
                interest.chaincodes.add(
                    name=namespace,
                    collection_names=[collection],
                    no_private_reads=(namespace, collection) not in results.private_reads,
                )
            elif policy_required or namespace in key_policies:
                interest.chaincodes.add(
                    name=namespace,
                    key_policies=key_policies.get(namespace, ()),
                    disregard_namespace_policy=not policy_required,
                )
    return interest
