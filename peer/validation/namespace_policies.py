"""Which endorsement policy a namespace or a collection needs, by its committed definition.

(Fabric: core/chaincode/lifecycle/deployedcc_infoprovider.go)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.protos.common import policies_pb2
from gridloom.protos.msp import msp_principal_pb2
from gridloom.protos.peer import policy_pb2, transaction_pb2

from ..chaincodes.lifecycle.collections import implicit_collection_org
from ..chaincodes.lifecycle.definitions import LIFECYCLE_NAMESPACE, ChaincodeDefinition
from .message_validation import InvalidTransaction

LIFECYCLE_ENDORSEMENT = "/Channel/Application/LifecycleEndorsement"
VALIDATION_PLUGIN = "vscc"


class NoSuchCollection(GridloomError):
    """A collection that the chaincode's definition does not have.

    chaincode, collection: their names.
    """

    def __init__(self, chaincode: str, collection: str) -> None:
        super().__init__(f"chaincode {chaincode}: no such collection '{collection}'")
        self.chaincode = chaincode
        self.collection = collection


class UnknownValidationPlugin(GridloomError):
    """A committed definition asks for a plugin this peer lacks: the channel has to stop."""

    def __init__(self, chaincode: str, plugin: str) -> None:
        super().__init__(f"chaincode {chaincode}: plugin with name {plugin} couldn't be used")
        self.chaincode = chaincode
        self.plugin = plugin


class NamespacePolicies:
    """Policies of all namespaces as of one point in the chain; definitions are read once each.

    find: a chaincode's committed definition by name, None if it has none; find_former: the
    one that the lifecycle before Application V2_0 left, asked where there is none.
    """

    def __init__(
        self,
        bundle: ChannelBundle,
        find: Callable[[str], ChaincodeDefinition | None],
        find_former: Callable[[str], ChaincodeDefinition | None] = lambda _: None,
    ) -> None:
        self._bundle = bundle
        self._find = find
        self._find_former = find_former
        self._definitions: dict[str, ChaincodeDefinition | None] = {}
        self._former: dict[str, ChaincodeDefinition | None] = {}
        self._lifecycle_policy: bytes | None = None

    def chaincode_policy(self, namespace: str) -> bytes:
        """The serialized ApplicationPolicy of a namespace.

        InvalidTransaction (INVALID_CHAINCODE) without definition, plugin or policy.
        """
        if namespace == LIFECYCLE_NAMESPACE:
            if self._lifecycle_policy is None:
                self._lifecycle_policy = self._lifecycle()
            return self._lifecycle_policy
        definition = self._definition(namespace) or self._former_definition(namespace)
        invalid = transaction_pb2.INVALID_CHAINCODE
        if definition is None:
            raise InvalidTransaction(invalid, f"chaincode {namespace} not found")
        if not definition.validation_plugin:
            raise InvalidTransaction(invalid, f"chaincode {namespace} has no validation plugin")
        if not definition.validation_parameter:
            raise InvalidTransaction(invalid, f"chaincode {namespace} has no policy")
        if definition.validation_plugin != VALIDATION_PLUGIN:
            raise UnknownValidationPlugin(namespace, definition.validation_plugin)
        return definition.validation_parameter

    def collection_policy(self, namespace: str, collection: str) -> bytes:
        """The policy of a collection of a namespace, b"" if the namespace's own holds.

        NoSuchCollection if the definition does not have it.  Without a definition (of the
        present lifecycle) nothing is known of collections and the namespace's policy holds.
        """
        definition = None
        if namespace != LIFECYCLE_NAMESPACE:
            definition = self._definition(namespace)
            if definition is None:
                return b""
        msp_id = implicit_collection_org(collection)
        if msp_id is not None:
            return self._implicit(namespace, collection, msp_id)
        config = definition.collection(collection) if definition is not None else None
        if config is None:
            raise NoSuchCollection(namespace, collection)
        return config.endorsement_policy.SerializeToString()

    def _definition(self, namespace: str) -> ChaincodeDefinition | None:
        if namespace not in self._definitions:
            self._definitions[namespace] = self._find(namespace)
        return self._definitions[namespace]

    def _former_definition(self, namespace: str) -> ChaincodeDefinition | None:
        if namespace not in self._former:
            self._former[namespace] = self._find_former(namespace)
        return self._former[namespace]

    def _lifecycle(self) -> bytes:
        if self._bundle.policies.find(LIFECYCLE_ENDORSEMENT) is not None:
            return _reference(LIFECYCLE_ENDORSEMENT)
        msp_ids = sorted(self._bundle.application.orgs)
        return _members(len(msp_ids) // 2 + 1, msp_ids)

    def _implicit(self, namespace: str, collection: str, msp_id: str) -> bytes:
        org = self._bundle.application.orgs.get(msp_id)
        if org is None:
            raise NoSuchCollection(namespace, collection)
        path = f"/Channel/Application/{org.group_name}/Endorsement"
        if self._bundle.policies.find(path) is not None:
            return _reference(path)
        return _members(1, [msp_id])


def _reference(path: str) -> bytes:
    policy = policy_pb2.ApplicationPolicy(channel_config_policy_reference=path)
    return policy.SerializeToString()


def _members(needed: int, msp_ids: Sequence[str]) -> bytes:
    """A policy of ``needed`` signatures by members of different ones of the organisations."""
    identities = [
        msp_principal_pb2.MSPPrincipal(
            principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
            principal=msp_principal_pb2.MSPRole(
                msp_identifier=msp_id, role=msp_principal_pb2.MSPRole.MEMBER
            ).SerializeToString(),
        )
        for msp_id in msp_ids
    ]
    leaves = [policies_pb2.SignaturePolicy(signed_by=index) for index in range(len(msp_ids))]
    rule = policies_pb2.SignaturePolicy(
        n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=needed, rules=leaves)
    )
    envelope = policies_pb2.SignaturePolicyEnvelope(rule=rule, identities=identities)
    return policy_pb2.ApplicationPolicy(signature_policy=envelope).SerializeToString()
