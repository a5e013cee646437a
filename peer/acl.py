"""Access control: which policy a caller must satisfy to use a resource of this peer.

Resources of the peer itself are judged by the local MSP's roles; resources of a channel by a
channel policy, which the channel's configuration may replace (its ``ACLs`` value).
(Fabric: core/aclmgmt, core/policy/policy.go)
"""

from __future__ import annotations

from collections.abc import Callable

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.identities import Identity, IdentityError
from gridloom.common.msp import Msp
from gridloom.common.policies.policy import Policy, SignedData
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.msp import msp_principal_pb2
from gridloom.protos.peer import proposal_pb2

PEER_PROPOSE = "peer/Propose"
CHAINCODE_TO_CHAINCODE = "peer/ChaincodeToChaincode"
EVENT_BLOCK = "event/Block"
EVENT_FILTERED_BLOCK = "event/FilteredBlock"
GATEWAY_COMMIT_STATUS = "gateway/CommitStatus"
GATEWAY_CHAINCODE_EVENTS = "gateway/ChaincodeEvents"

ADMINS = "Admins"
MEMBERS = "Members"
READERS = "/Channel/Application/Readers"
WRITERS = "/Channel/Application/Writers"

PEER_RESOURCES = {
    "_lifecycle/InstallChaincode": ADMINS,
    "_lifecycle/QueryInstalledChaincode": ADMINS,
    "_lifecycle/GetInstalledChaincodePackage": ADMINS,
    "_lifecycle/QueryInstalledChaincodes": ADMINS,
    "_lifecycle/ApproveChaincodeDefinitionForMyOrg": ADMINS,
    "_lifecycle/QueryApprovedChaincodeDefinition": ADMINS,
    "_lifecycle/QueryApprovedChaincodeDefinitions": ADMINS,
    "snapshot/submitrequest": ADMINS,
    "snapshot/cancelrequest": ADMINS,
    "snapshot/listpending": ADMINS,
    "lscc/Install": ADMINS,
    "lscc/GetInstalledChaincodes": ADMINS,
    "cscc/JoinChain": ADMINS,
    "cscc/JoinChainBySnapshot": ADMINS,
    "cscc/JoinBySnapshotStatus": ADMINS,
    "cscc/GetChannels": MEMBERS,
}
"""Resources judged by a role in the local MSP."""

CHANNEL_RESOURCES = {
    "_lifecycle/CommitChaincodeDefinition": WRITERS,
    "_lifecycle/QueryChaincodeDefinition": WRITERS,
    "_lifecycle/QueryChaincodeDefinitions": WRITERS,
    "_lifecycle/CheckCommitReadiness": WRITERS,
    "lscc/ChaincodeExists": READERS,
    "lscc/GetDeploymentSpec": READERS,
    "lscc/GetChaincodeData": READERS,
    "lscc/GetInstantiatedChaincodes": READERS,
    "lscc/GetCollectionsConfig": READERS,
    "qscc/GetChainInfo": READERS,
    "qscc/GetBlockByNumber": READERS,
    "qscc/GetBlockByHash": READERS,
    "qscc/GetTransactionByID": READERS,
    "qscc/GetBlockByTxID": READERS,
    "cscc/GetConfigBlock": READERS,
    "cscc/GetChannelConfig": READERS,
    PEER_PROPOSE: WRITERS,
    CHAINCODE_TO_CHAINCODE: WRITERS,
    EVENT_BLOCK: READERS,
    EVENT_FILTERED_BLOCK: READERS,
    GATEWAY_COMMIT_STATUS: READERS,
    GATEWAY_CHAINCODE_EVENTS: READERS,
}
"""Resources judged by a policy of the channel, unless its configuration names another."""

_OF_PROPOSAL = (
    "Failed deserializing proposal creator",
    "Failed verifying that proposal's creator satisfies local MSP principal",
)
_OF_SIGNED_DATA = (
    "failed deserializing signed data identity",
    "failed verifying that the signed data identity satisfies local MSP principal",
)
_ROLES = {ADMINS: msp_principal_pb2.MSPRole.ADMIN, MEMBERS: msp_principal_pb2.MSPRole.MEMBER}


class AccessDenied(GridloomError):
    """A caller may not use a resource: its name, the policy ("" if none applies), why."""

    def __init__(self, resource: str, policy: str, message: str) -> None:
        super().__init__(message)
        self.resource = resource
        self.policy = policy


def signed_proposal_data(proposal: proposal_pb2.SignedProposal) -> SignedData:
    """What a signed proposal claims: these bytes, by its creator; MalformedMessage if broken."""
    parsed = parse(proposal_pb2.Proposal, proposal.proposal_bytes, "proposal")
    header = parse(common_pb2.Header, parsed.header, "proposal header")
    signer = parse(common_pb2.SignatureHeader, header.signature_header, "signature header")
    return SignedData(proposal.proposal_bytes, signer.creator, proposal.signature)


class AccessControl:
    """Judges callers of one peer.

    bundle: the configuration of a channel by id, None for an unknown one;
    local_msp: the MSP of the peer's own organisation.
    """

    def __init__(self, bundle: Callable[[str], ChannelBundle | None], local_msp: Msp) -> None:
        self._bundle = bundle
        self._local_msp = local_msp
        self._policies: dict[tuple[str, str], tuple[ChannelBundle, Policy]] = {}

    def check(self, resource: str, channel_id: str, caller: SignedData) -> None:
        """AccessDenied unless the caller's signature satisfies the resource's policy.

        channel_id: ignored for resources of the peer itself, "" is right for them.
        """
        role = PEER_RESOURCES.get(resource)
        if role is not None:
            self._check_local(resource, role, caller)
            return
        bundle = self._bundle(channel_id) if channel_id else None
        override = bundle.application.acls.get(resource, "") if bundle else ""
        policy = override or CHANNEL_RESOURCES.get(resource, "")
        if not policy:
            raise AccessDenied(resource, "", f"Unmapped policy for {resource}")
        if bundle is None:
            message = f"Failed to get policy manager for channel [{channel_id}]"
            raise AccessDenied(resource, policy, message)
        try:
            bundle.policies.get(policy).evaluate([caller])
        except GridloomError as error:
            where = f"with policy [{policy}]"
            message = (
                f"failed evaluating policy on signed data during check policy [{policy}]: [{error}]"
                if override
                else "Failed evaluating policy on signed data during check policy on channel "
                f"[{channel_id}] {where}: [{error}]"
            )
            raise AccessDenied(resource, policy, message) from error

    def check_verified(
        self, resource: str, channel_id: str, signer: Identity, caller: SignedData
    ) -> None:
        """The same for a channel's resource and a caller whose signature has been verified.

        signer: whose it is; what refuses is ``check``, which also says why.
        """
        bundle = self._bundle(channel_id)
        if bundle is None or not self._policy(bundle, resource).holds((signer,)):
            self.check(resource, channel_id, caller)

    def _policy(self, bundle: ChannelBundle, resource: str) -> Policy:
        """The policy of a channel's resource, looked up once for each configuration."""
        place = bundle.channel_id, resource
        known = self._policies.get(place)
        if known is None or known[0] is not bundle:
            path = bundle.application.acls.get(resource, "") or CHANNEL_RESOURCES[resource]
            known = self._policies[place] = bundle, bundle.policies.get(path)
        return known[1]

    def check_proposal(
        self, resource: str, channel_id: str, proposal: proposal_pb2.SignedProposal
    ) -> None:
        """The same for the creator of a signed proposal."""
        try:
            caller = signed_proposal_data(proposal)
        except MalformedMessage as error:
            message = f"Failing extracting proposal during check policy: [{error}]"
            raise AccessDenied(resource, "", message) from error
        self.check(resource, channel_id, caller)

    def check_signed(self, resource: str, caller: SignedData) -> None:
        """AccessDenied unless the signer of a request that is no proposal has the role.

        resource: one of PEER_RESOURCES.
        """
        self._check_local(resource, PEER_RESOURCES[resource], caller, _OF_SIGNED_DATA)

    def check_role(self, resource: str, role: str, caller: SignedData) -> None:
        """AccessDenied unless the signer has the role; for what no ACL of Fabric's names."""
        self._check_local(resource, role, caller, _OF_SIGNED_DATA)

    def _check_local(
        self, resource: str, role: str, caller: SignedData, steps: tuple[str, str] = _OF_PROPOSAL
    ) -> None:
        failing = steps[0]
        try:
            identity = self._local_msp.deserialize(caller.identity)
            failing = steps[1]
            self._local_msp.satisfies(identity, _principal(self._local_msp.msp_id, role))
        except IdentityError as error:
            message = f"{failing} during channelless check policy with policy [{role}]: [{error}]"
            raise AccessDenied(resource, role, message) from error
        try:
            identity.verify(caller.data, caller.signature)
        except IdentityError as error:
            raise AccessDenied(resource, role, str(error)) from error


def _principal(msp_id: str, role: str) -> msp_principal_pb2.MSPPrincipal:
    wanted = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=_ROLES[role])
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
        principal=wanted.SerializeToString(),
    )
