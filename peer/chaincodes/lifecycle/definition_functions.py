"""``_lifecycle`` functions about definitions: approve, check, commit and query.

(Fabric: core/chaincode/lifecycle/scc.go)
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.common.wire import parse
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage
from gridloom.protos.peer.lifecycle import lifecycle_pb2 as pb

from . import functions
from .definitions import DEFINITION_TYPE, NAMESPACES, ChaincodeDefinition, read_definition
from .endorsement_info import LEGACY_NAMESPACE
from .functions import ApprovedDefinition, LifecycleRefusal
from .input_checks import (
    InvalidDefinition,
    check_against_committed,
    check_collections,
    check_name_and_version,
)
from .serializer import read_all_metadata
from .step import LifecycleFunction, Step

_Proposed = (
    pb.ApproveChaincodeDefinitionForMyOrgArgs
    | pb.CommitChaincodeDefinitionArgs
    | pb.CheckCommitReadinessArgs
)


def _approve(
    step: Step, request: pb.ApproveChaincodeDefinitionForMyOrgArgs
) -> pb.ApproveChaincodeDefinitionForMyOrgResult:
    _validate(step, request)
    package_id = request.source.local_package.package_id
    functions.approve(
        request.name,
        _definition(request),
        package_id,
        bundle=step.bundle,
        public=step.public,
        organization=step.own,
    )
    return pb.ApproveChaincodeDefinitionForMyOrgResult()


def _check_readiness(
    step: Step, request: pb.CheckCommitReadinessArgs
) -> pb.CheckCommitReadinessResult:
    organizations = step.organizations()
    _, readiness = functions.check_commit_readiness(
        request.name, _definition(request), step.bundle, step.public, organizations
    )
    result = pb.CheckCommitReadinessResult(approvals=readiness.approvals)
    for msp_id, items in readiness.mismatches.items():
        result.mismatches[msp_id].items.extend(items)
    return result


def _commit(
    step: Step, request: pb.CommitChaincodeDefinitionArgs
) -> pb.CommitChaincodeDefinitionResult:
    _validate(step, request)
    organizations = step.organizations()
    msp_id = step.peer.msp_id
    if msp_id not in organizations:
        raise LifecycleRefusal(
            "impossibly, this peer's org is processing requests for a channel it is not a member of"
        )
    readiness = functions.commit(
        request.name, _definition(request), step.bundle, step.public, organizations
    )
    if not readiness.approvals[msp_id]:
        raise LifecycleRefusal(f"chaincode definition not agreed to by this org ({msp_id})")
    return pb.CommitChaincodeDefinitionResult()


def _query(
    step: Step, request: pb.QueryChaincodeDefinitionArgs
) -> pb.QueryChaincodeDefinitionResult:
    definition = functions.query_definition(request.name, step.public)
    readiness = functions.approvals_of(request.name, definition, step.organizations())
    return pb.QueryChaincodeDefinitionResult(
        sequence=definition.sequence,
        version=definition.version,
        endorsement_plugin=definition.endorsement_plugin,
        validation_plugin=definition.validation_plugin,
        validation_parameter=definition.validation_parameter,
        collections=_collections(definition),
        init_required=definition.init_required,
        approvals=readiness.approvals,
    )


def _query_all(
    step: Step, request: pb.QueryChaincodeDefinitionsArgs
) -> pb.QueryChaincodeDefinitionsResult:
    result = pb.QueryChaincodeDefinitionsResult()
    for name, metadata in read_all_metadata(NAMESPACES, step.public).items():
        if metadata.datatype != DEFINITION_TYPE:
            continue
        definition = functions.query_definition(name, step.public)
        result.chaincode_definitions.add(
            name=name,
            sequence=definition.sequence,
            version=definition.version,
            endorsement_plugin=definition.endorsement_plugin,
            validation_plugin=definition.validation_plugin,
            validation_parameter=definition.validation_parameter,
            collections=_collections(definition),
            init_required=definition.init_required,
        )
    return result


def _query_approved(
    step: Step, request: pb.QueryApprovedChaincodeDefinitionArgs
) -> pb.QueryApprovedChaincodeDefinitionResult:
    approved = functions.query_approved(
        request.name, request.sequence, step.channel_id, step.public, step.own
    )
    definition = approved.definition
    return pb.QueryApprovedChaincodeDefinitionResult(
        sequence=definition.sequence,
        version=definition.version,
        endorsement_plugin=definition.endorsement_plugin,
        validation_plugin=definition.validation_plugin,
        validation_parameter=definition.validation_parameter,
        collections=_collections(definition),
        init_required=definition.init_required,
        source=_source(approved),
    )


def _query_all_approved(
    step: Step, request: pb.QueryApprovedChaincodeDefinitionsArgs
) -> pb.QueryApprovedChaincodeDefinitionsResult:
    result = pb.QueryApprovedChaincodeDefinitionsResult()
    for record in read_all_metadata(NAMESPACES, step.own):
        approved = functions.query_approved_record(record, step.own)
        definition = approved.definition
        result.approved_chaincode_definitions.add(
            name=record.rpartition("#")[0],
            sequence=definition.sequence,
            version=definition.version,
            endorsement_plugin=definition.endorsement_plugin,
            validation_plugin=definition.validation_plugin,
            validation_parameter=definition.validation_parameter,
            collections=_collections(definition),
            init_required=definition.init_required,
            source=_source(approved),
        )
    return result


def _validate(step: Step, request: _Proposed) -> None:
    """Check a proposed definition, also against the committed one.

    That reads the committed definition through the simulator, or ``lscc`` when there is none.
    """
    try:
        check_name_and_version(request.name, request.version)
        check_collections(request.collections, step.bundle)
        committed = read_definition(request.name, step.public)
        if committed is None:
            step.ledger_context().get_state(LEGACY_NAMESPACE, request.name)
        check_against_committed(request.collections, committed)
    except InvalidDefinition as error:
        raise LifecycleRefusal(f"error validating chaincode definition: {error}") from error


def _definition(request: _Proposed) -> ChaincodeDefinition:
    return ChaincodeDefinition(
        sequence=request.sequence,
        version=request.version,
        init_required=request.init_required,
        endorsement_plugin=request.endorsement_plugin,
        validation_plugin=request.validation_plugin,
        validation_parameter=request.validation_parameter,
        collections=request.collections.SerializeToString(),
    )


def _collections(definition: ChaincodeDefinition) -> CollectionConfigPackage:
    return parse(CollectionConfigPackage, definition.collections)


def _source(approved: ApprovedDefinition) -> pb.ChaincodeSource:
    if not approved.package_id:
        return pb.ChaincodeSource(unavailable=pb.ChaincodeSource.Unavailable())
    package = pb.ChaincodeSource.Local(package_id=approved.package_id)
    return pb.ChaincodeSource(local_package=package)


DEFINITION_FUNCTIONS: Mapping[str, LifecycleFunction] = {
    "ApproveChaincodeDefinitionForMyOrg": LifecycleFunction(
        pb.ApproveChaincodeDefinitionForMyOrgArgs, _approve
    ),
    "CheckCommitReadiness": LifecycleFunction(pb.CheckCommitReadinessArgs, _check_readiness),
    "CommitChaincodeDefinition": LifecycleFunction(pb.CommitChaincodeDefinitionArgs, _commit),
    "QueryChaincodeDefinition": LifecycleFunction(pb.QueryChaincodeDefinitionArgs, _query),
    "QueryChaincodeDefinitions": LifecycleFunction(pb.QueryChaincodeDefinitionsArgs, _query_all),
    "QueryApprovedChaincodeDefinition": LifecycleFunction(
        pb.QueryApprovedChaincodeDefinitionArgs, _query_approved
    ),
    "QueryApprovedChaincodeDefinitions": LifecycleFunction(
        pb.QueryApprovedChaincodeDefinitionsArgs, _query_all_approved
    ),
}
