"""Private data collections as the ``peer`` command reads them (``--collections-config``).

A JSON list; each entry has ``name``, ``policy`` (who may hold the data, in the policy language)
and optionally ``requiredPeerCount`` (0), ``maxPeerCount`` (1), ``blockToLive`` (0, for ever),
``memberOnlyRead``, ``memberOnlyWrite`` (false), ``endorsementPolicy`` with ``signaturePolicy``
or ``channelConfigPolicy`` (Fabric: internal/peer/chaincode/common.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridloom.common.documents import load_json
from gridloom.common.errors import GridloomError
from gridloom.common.policies.language import parse as parse_policy
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope
from gridloom.protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy

_FIELDS: Mapping[str, type] = {
    "name": str,
    "policy": str,
    "requiredPeerCount": int,
    "maxPeerCount": int,
    "blockToLive": int,
    "memberOnlyRead": bool,
    "memberOnlyWrite": bool,
    "endorsementPolicy": dict,
}


class CollectionsError(GridloomError):
    """A collections document that cannot be used: which entry or field, and why."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"collections: {where}: {reason}")
        self.where = where
        self.reason = reason


def parse_collections(text: str | bytes) -> CollectionConfigPackage:
    """Return the collections of a JSON document; CollectionsError."""
    try:
        document = load_json(text)
    except ValueError as error:
        raise CollectionsError("document", f"not JSON: {error}") from error
    if not isinstance(document, list):
        raise CollectionsError("document", "not a list")
    configs = [_collection(entry, f"[{index}]") for index, entry in enumerate(document)]
    return CollectionConfigPackage(
        config=[CollectionConfig(static_collection_config=config) for config in configs]
    )


def _collection(entry: object, where: str) -> StaticCollectionConfig:
    fields = _checked(entry, where, _FIELDS)
    for name in ("name", "policy"):
        if name not in fields:
            raise CollectionsError(f"{where}.{name}", "missing")
    members = _policy(fields["policy"], f"{where}.policy")
    try:
        config = StaticCollectionConfig(
            name=fields["name"],
            member_orgs_policy=CollectionPolicyConfig(signature_policy=members),
            required_peer_count=fields.get("requiredPeerCount", 0),
            maximum_peer_count=fields.get("maxPeerCount", 1),
            block_to_live=fields.get("blockToLive", 0),
            member_only_read=fields.get("memberOnlyRead", False),
            member_only_write=fields.get("memberOnlyWrite", False),
        )
    except ValueError as error:
        raise CollectionsError(where, f"a number is out of range: {error}") from error
    endorsement = _endorsement(fields.get("endorsementPolicy", {}), f"{where}.endorsementPolicy")
    if endorsement is not None:
        config.endorsement_policy.CopyFrom(endorsement)
    return config


def _endorsement(entry: object, where: str) -> ApplicationPolicy | None:
    fields = _checked(entry, where, {"signaturePolicy": str, "channelConfigPolicy": str})
    signature = fields.get("signaturePolicy", "")
    reference = fields.get("channelConfigPolicy", "")
    if signature and reference:
        raise CollectionsError(where, "signaturePolicy and channelConfigPolicy exclude each other")
    if signature:
        policy = _policy(signature, f"{where}.signaturePolicy")
        return ApplicationPolicy(signature_policy=policy)
    return ApplicationPolicy(channel_config_policy_reference=reference) if reference else None


def _policy(text: str, where: str) -> SignaturePolicyEnvelope:
    try:
        return parse_policy(text)
    except GridloomError as error:
        raise CollectionsError(where, str(error)) from error


def _checked(entry: object, where: str, known: Mapping[str, type]) -> Mapping[str, Any]:
    """Return the fields of an entry, null ones left out; unknown ones are mistakes."""
    if not isinstance(entry, dict):
        raise CollectionsError(where, "not an object")
    fields = {name: value for name, value in entry.items() if value is not None}
    for name, value in fields.items():
        if name not in known:
            raise CollectionsError(f"{where}.{name}", f"there is only: {', '.join(known)}")
        if type(value) is not known[name]:
            raise CollectionsError(f"{where}.{name}", f"{value!r} is no {known[name].__name__}")
    return fields
