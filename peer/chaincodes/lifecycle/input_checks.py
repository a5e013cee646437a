"""What a definition may say: names, version and collections.

(Fabric: validateInput and its helpers in core/chaincode/lifecycle/scc.go)
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.wire import parse
from gridloom.protos.common.policies_pb2 import SignaturePolicy
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole, OrganizationUnit
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfigPackage,
    StaticCollectionConfig,
)

from .collections import static_collections
from .definitions import ChaincodeDefinition

_NAME = re.compile(r"[a-zA-Z0-9]+(?:[-_][a-zA-Z0-9]+)*")
_VERSION = re.compile(r"[A-Za-z0-9_.+-]+")
_COLLECTION = re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]*")
_SYSTEM_NAMES = frozenset({"cscc", "escc", "lscc", "qscc", "vscc"})


class InvalidDefinition(GridloomError):
    """A definition that may not be approved or committed; reason as Fabric words it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_name_and_version(name: str, version: str) -> None:
    """Raise InvalidDefinition unless both follow their patterns and the name is free."""
    if not _NAME.fullmatch(name):
        raise InvalidDefinition(
            f"invalid chaincode name '{name}'. Names can only consist of alphanumerics, '_', "
            "and '-' and can only begin with alphanumerics"
        )
    if name in _SYSTEM_NAMES:
        raise InvalidDefinition(f"chaincode name '{name}' is the name of a system chaincode")
    if not _VERSION.fullmatch(version):
        raise InvalidDefinition(
            f"invalid chaincode version '{version}'. Versions can only consist of "
            "alphanumerics, '_', '-', '+', and '.'"
        )


def check_collections(package: CollectionConfigPackage, bundle: ChannelBundle) -> None:
    """Raise InvalidDefinition unless every collection makes sense on this channel."""
    seen: set[str] = set()
    for config in package.config:
        if not config.HasField("static_collection_config"):
            raise InvalidDefinition("collection config contains unexpected payload type: <nil>")
        collection = config.static_collection_config
        name = collection.name
        if not _COLLECTION.fullmatch(name):
            raise InvalidDefinition(
                f"invalid collection name '{name}'. Names can only consist of alphanumerics, "
                "'_', and '-' and cannot begin with '_'"
            )
        if name in seen:
            raise InvalidDefinition(
                f"collection-name: {name} -- found duplicate in collection configuration"
            )
        seen.add(name)
        _check_peer_counts(collection)
        _check_members(collection, bundle)


def check_against_committed(
    package: CollectionConfigPackage, committed: ChaincodeDefinition | None
) -> None:
    """Raise InvalidDefinition if a committed collection is missing or lives differently long."""
    if committed is None:
        return
    existing = static_collections(committed.collections)
    if existing and not package.config:
        raise InvalidDefinition(
            "the proposed collection config does not contain previously defined collections"
        )
    proposed = {c.static_collection_config.name: c for c in package.config}
    for name, collection in existing.items():
        if name not in proposed:
            raise InvalidDefinition(
                f"existing collection [{name}] missing in the proposed collection configuration"
            )
        if proposed[name].static_collection_config.block_to_live != collection.block_to_live:
            raise InvalidDefinition(
                f"the BlockToLive in an existing collection [{name}] modified. "
                f"Existing value [{collection.block_to_live}]"
            )


def _check_peer_counts(collection: StaticCollectionConfig) -> None:
    name, most = collection.name, collection.maximum_peer_count
    required = collection.required_peer_count
    if most < required:
        raise InvalidDefinition(
            f"collection-name: {name} -- maximum peer count ({most}) cannot be less than the "
            f"required peer count ({required})"
        )
    if required < 0:
        raise InvalidDefinition(
            f"collection-name: {name} -- requiredPeerCount ({required}) cannot be less than zero"
        )


def _check_members(collection: StaticCollectionConfig, bundle: ChannelBundle) -> None:
    name = collection.name
    if not collection.HasField("member_orgs_policy"):
        raise InvalidDefinition(f"collection member policy is not set for collection '{name}'")
    if not collection.member_orgs_policy.HasField("signature_policy"):
        raise InvalidDefinition(f"collection member org policy is empty for collection '{name}'")
    envelope = collection.member_orgs_policy.signature_policy
    try:
        compile_signature_policy(envelope, bundle.msp_manager)
    except GridloomError as error:
        raise InvalidDefinition(
            f"invalid member org policy for collection '{name}': {error}"
        ) from error
    _check_only_or(envelope.rule, name)
    for principal in envelope.identities:
        _check_member(principal, name, bundle)


def _check_only_or(rule: SignaturePolicy, name: str) -> None:
    if not rule.HasField("n_out_of"):
        return
    if rule.n_out_of.n != 1:
        raise InvalidDefinition(
            f"collection-name: {name} -- error in member org policy: signature policy is not "
            f"an OR concatenation, NOutOf {rule.n_out_of.n}"
        )
    for part in rule.n_out_of.rules:
        _check_only_or(part, name)


_ORGANIZATION_OF: Mapping[int, type[MSPRole] | type[OrganizationUnit]] = {
    MSPPrincipal.ROLE: MSPRole,
    MSPPrincipal.ORGANIZATION_UNIT: OrganizationUnit,
}


def _check_member(principal: MSPPrincipal, name: str, bundle: ChannelBundle) -> None:
    """Raise InvalidDefinition unless the principal is of an organisation of the channel."""
    kind = principal.principal_classification
    if kind == MSPPrincipal.IDENTITY:
        try:
            bundle.msp_manager.deserialize(principal.principal)
        except GridloomError as error:
            raise InvalidDefinition(
                f"collection-name: {name} -- contains an identity that is not part of the channel"
            ) from error
        return
    message_type = _ORGANIZATION_OF.get(kind)
    if message_type is None:
        shown = MSPPrincipal.Classification.Name(kind)
        raise InvalidDefinition(
            f"collection-name: {name} -- principal type {shown} is not supported"
        )
    try:
        msp_id = parse(message_type, principal.principal).msp_identifier
    except MalformedMessage as error:
        raise InvalidDefinition(
            f"collection-name: {name} -- cannot unmarshal identity bytes into "
            f"{message_type.DESCRIPTOR.name}"
        ) from error
    if msp_id not in bundle.msp_manager.msps:
        raise InvalidDefinition(
            f"collection-name: {name} -- collection member '{msp_id}' is not part of the channel"
        )
