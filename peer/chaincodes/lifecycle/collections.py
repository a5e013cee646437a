"""Collections of private data: whose they are.

An explicit collection is defined with its chaincode; besides, every organisation has an
implicit one in every chaincode.  (Fabric: core/common/privdata, deployedcc_infoprovider.go)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)

IMPLICIT_PREFIX = "_implicit_org_"


def implicit_collection(msp_id: str) -> str:
    """The name of the collection every organisation has in every chaincode."""
    return IMPLICIT_PREFIX + msp_id


def implicit_collection_org(collection: str) -> str | None:
    """The MSP id an implicit collection belongs to; None for an explicit collection."""
    if not collection.startswith(IMPLICIT_PREFIX):
        return None
    return collection.removeprefix(IMPLICIT_PREFIX)


@lru_cache(maxsize=256)
def static_collections(package: bytes) -> Mapping[str, StaticCollectionConfig]:
    """Return the collections of a ``CollectionConfigPackage`` by name (read-only).

    Raises MalformedMessage when the bytes are no such package.
    """
    configs = parse(CollectionConfigPackage, package, "CollectionConfigPackage").config
    return {
        config.static_collection_config.name: config.static_collection_config
        for config in configs
        if config.HasField("static_collection_config")
    }


@lru_cache(maxsize=256)
def implicit_config(msp_id: str, required: int = 0, maximum: int = 0) -> StaticCollectionConfig:
    """The rules of an organisation's implicit collection: its members only (read-only).

    required, maximum: peers to send private writes to; a matter of each endorsing peer.
    """
    member = MSPRole(msp_identifier=msp_id, role=MSPRole.MEMBER)
    principal = MSPPrincipal(
        principal_classification=MSPPrincipal.ROLE, principal=member.SerializeToString()
    )
    one = SignaturePolicy.NOutOf(n=1, rules=[SignaturePolicy(signed_by=0)])
    members = SignaturePolicyEnvelope(rule=SignaturePolicy(n_out_of=one), identities=[principal])
    return StaticCollectionConfig(
        name=implicit_collection(msp_id),
        member_orgs_policy=CollectionPolicyConfig(signature_policy=members),
        required_peer_count=required,
        maximum_peer_count=maximum,
    )


def member_organizations(config: StaticCollectionConfig) -> frozenset[str]:
    """The MSP ids a collection's member policy names; what does not parse names none."""
    return frozenset(_organizations(config.member_orgs_policy.signature_policy.identities))


def opened_to(
    msp_id: str,
    before: Mapping[str, StaticCollectionConfig],
    after: Mapping[str, StaticCollectionConfig],
) -> list[str]:
    """The collections in both that an organisation is a member of only afterwards."""
    return [
        name
        for name, config in after.items()
        if name in before
        and msp_id in member_organizations(config)
        and msp_id not in member_organizations(before[name])
    ]


def _organizations(principals: Iterable[MSPPrincipal]) -> Iterator[str]:
    for principal in principals:
        try:
            match principal.principal_classification:
                case MSPPrincipal.ROLE:
                    yield parse(MSPRole, principal.principal).msp_identifier
                case MSPPrincipal.ORGANIZATION_UNIT:
                    yield parse(OrganizationUnit, principal.principal).msp_identifier
                case MSPPrincipal.IDENTITY:
                    yield parse(SerializedIdentity, principal.principal).mspid
                case _:
                    pass  # the others name no organisation
        except MalformedMessage:
            continue
