"""Chaincodes from an operator's side (Fabric: internal/peer/lifecycle/chaincode)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from gridloom.common.policies.language import parse as parse_policy
from gridloom.common.rpc import Channel
from gridloom.common.wire import parse
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage
from gridloom.protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    ChaincodeSource,
    CheckCommitReadinessArgs,
    CheckCommitReadinessResult,
    CommitChaincodeDefinitionArgs,
    GetInstalledChaincodePackageArgs,
    GetInstalledChaincodePackageResult,
    InstallChaincodeArgs,
    InstallChaincodeResult,
    QueryApprovedChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionResult,
    QueryChaincodeDefinitionArgs,
    QueryChaincodeDefinitionResult,
    QueryChaincodeDefinitionsArgs,
    QueryChaincodeDefinitionsResult,
    QueryInstalledChaincodesArgs,
    QueryInstalledChaincodesResult,
)
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy

from .invocation import Invocation

LIFECYCLE = "_lifecycle"


@dataclass(frozen=True, slots=True)
class ChaincodeDefinition:
    """What the organisations of a channel agree on about a chaincode.

    endorsement_policy: in the policy language (``AND('A.peer','B.peer')``), or the path of a
    channel policy when it begins with "/"; empty for the channel's default.
    """

    name: str
    version: str = "1.0"
    sequence: int = 1
    init_required: bool = False
    endorsement_policy: str = ""
    collections: CollectionConfigPackage | None = None

    def validation_parameter(self) -> bytes:
        """Return the serialized ApplicationPolicy, empty for the channel's default."""
        text = self.endorsement_policy
        if not text:
            return b""
        if text.startswith("/"):
            policy = ApplicationPolicy(channel_config_policy_reference=text)
        else:
            policy = ApplicationPolicy(signature_policy=parse_policy(text))
        return policy.SerializeToString()


class LifecycleAdmin:
    """Runs the functions of ``_lifecycle`` through an Invocation.

    Refusals of a peer are EndorsementError, with the peer's own message.
    """

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    async def install(self, peer: Channel, package: bytes) -> str:
        """Install a package on one peer and return its id."""
        arguments = InstallChaincodeArgs(chaincode_install_package=package)
        payload = await self._query(peer, "", "InstallChaincode", arguments)
        return parse(InstallChaincodeResult, payload).package_id

    async def installed(self, peer: Channel) -> Mapping[str, str]:
        """Return label by package id of everything installed on one peer."""
        payload = await self._query(
            peer, "", "QueryInstalledChaincodes", QueryInstalledChaincodesArgs()
        )
        result = parse(QueryInstalledChaincodesResult, payload)
        return {chaincode.package_id: chaincode.label for chaincode in result.installed_chaincodes}

    async def installed_package(self, peer: Channel, package_id: str) -> bytes:
        """Return a package as it was installed; EndorsementError if it is not."""
        arguments = GetInstalledChaincodePackageArgs(package_id=package_id)
        payload = await self._query(peer, "", "GetInstalledChaincodePackage", arguments)
        return parse(GetInstalledChaincodePackageResult, payload).chaincode_install_package

    async def approve(
        self,
        peer: Channel,
        orderer: Channel,
        channel_id: str,
        definition: ChaincodeDefinition,
        package_id: str = "",
    ) -> str:
        """Approve for the peer's organisation, wait for the commit; return the transaction id.

        package_id: what that organisation runs for it; empty if it runs nothing.
        """
        arguments = ApproveChaincodeDefinitionForMyOrgArgs(
            name=definition.name,
            version=definition.version,
            sequence=definition.sequence,
            validation_parameter=definition.validation_parameter(),
            collections=definition.collections,
            init_required=definition.init_required,
        )
        if package_id:
            arguments.source.local_package.CopyFrom(ChaincodeSource.Local(package_id=package_id))
        else:
            arguments.source.unavailable.SetInParent()
        function = "ApproveChaincodeDefinitionForMyOrg"
        return await self._submit([peer], orderer, channel_id, function, arguments)

    async def readiness(
        self, peer: Channel, channel_id: str, definition: ChaincodeDefinition
    ) -> Mapping[str, bool]:
        """Return, by MSP id, which organisations have approved exactly this definition."""
        arguments = CheckCommitReadinessArgs(
            name=definition.name,
            version=definition.version,
            sequence=definition.sequence,
            validation_parameter=definition.validation_parameter(),
            collections=definition.collections,
            init_required=definition.init_required,
        )
        payload = await self._query(peer, channel_id, "CheckCommitReadiness", arguments)
        return dict(parse(CheckCommitReadinessResult, payload).approvals)

    async def commit(
        self,
        peers: Sequence[Channel],
        orderer: Channel,
        channel_id: str,
        definition: ChaincodeDefinition,
    ) -> str:
        """Commit the definition, endorsed by ``peers``; return the transaction id."""
        arguments = CommitChaincodeDefinitionArgs(
            name=definition.name,
            version=definition.version,
            sequence=definition.sequence,
            validation_parameter=definition.validation_parameter(),
            collections=definition.collections,
            init_required=definition.init_required,
        )
        function = "CommitChaincodeDefinition"
        return await self._submit(peers, orderer, channel_id, function, arguments)

    async def committed(
        self, peer: Channel, channel_id: str, name: str
    ) -> QueryChaincodeDefinitionResult:
        """Return the committed definition; EndorsementError with status 404 if there is none."""
        arguments = QueryChaincodeDefinitionArgs(name=name)
        payload = await self._query(peer, channel_id, "QueryChaincodeDefinition", arguments)
        return parse(QueryChaincodeDefinitionResult, payload)

    async def all_committed(
        self, peer: Channel, channel_id: str
    ) -> QueryChaincodeDefinitionsResult:
        """Return every committed definition of the channel."""
        arguments = QueryChaincodeDefinitionsArgs()
        payload = await self._query(peer, channel_id, "QueryChaincodeDefinitions", arguments)
        return parse(QueryChaincodeDefinitionsResult, payload)

    async def approved(
        self, peer: Channel, channel_id: str, name: str, sequence: int = 0
    ) -> QueryApprovedChaincodeDefinitionResult:
        """Return what the peer's organisation approved; sequence 0 asks for the latest."""
        arguments = QueryApprovedChaincodeDefinitionArgs(name=name, sequence=sequence)
        function = "QueryApprovedChaincodeDefinition"
        payload = await self._query(peer, channel_id, function, arguments)
        return parse(QueryApprovedChaincodeDefinitionResult, payload)

    async def _query(
        self, peer: Channel, channel_id: str, function: str, arguments: Message
    ) -> bytes:
        response = await self._invocation.query(
            peer, channel_id, LIFECYCLE, function.encode(), arguments.SerializeToString()
        )
        return response.payload

    async def _submit(
        self,
        peers: Sequence[Channel],
        orderer: Channel,
        channel_id: str,
        function: str,
        arguments: Message,
    ) -> str:
        tx_id, _ = await self._invocation.submit(
            peers,
            orderer,
            channel_id,
            LIFECYCLE,
            function.encode(),
            arguments.SerializeToString(),
        )
        return tx_id
