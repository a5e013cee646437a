"""Endorsement policies of single keys (Fabric: fabric-chaincode-go/pkg/statebased).

    policy = KeyEndorsementPolicy()
    policy.add_orgs("MEMBER", "Org1MSP", "Org2MSP")
    ctx.stub.set_state_validation_parameter("asset1", policy.policy())

Every organisation named must then endorse a change of the key.
"""

from __future__ import annotations

from gridloom.common.wire import parse
from gridloom.protos.common import policies_pb2
from gridloom.protos.msp import msp_principal_pb2

from .errors import ChaincodeError

_ROLES = {
    "MEMBER": msp_principal_pb2.MSPRole.MEMBER,
    "PEER": msp_principal_pb2.MSPRole.PEER,
}


class KeyEndorsementPolicy:
    """The organisations that must endorse a key, each by a member or by a peer.

    policy: bytes read from the ledger, to be changed; MalformedMessage if they are no policy.
    """

    def __init__(self, policy: bytes = b"") -> None:
        self._orgs: dict[str, msp_principal_pb2.MSPRole.MSPRoleType.ValueType] = {}
        envelope = parse(policies_pb2.SignaturePolicyEnvelope, policy)
        for identity in envelope.identities:
            if identity.principal_classification == msp_principal_pb2.MSPPrincipal.ROLE:
                role = parse(msp_principal_pb2.MSPRole, identity.principal)
                self._orgs[role.msp_identifier] = role.role

    def add_orgs(self, role: str, *msp_ids: str) -> None:
        """Require organisations; role is ``MEMBER`` or ``PEER``."""
        if role not in _ROLES:
            raise ChaincodeError(f"role type {role} does not exist")
        self._orgs.update(dict.fromkeys(msp_ids, _ROLES[role]))

    def delete_orgs(self, *msp_ids: str) -> None:
        """Require these organisations no longer."""
        for msp_id in msp_ids:
            self._orgs.pop(msp_id, None)

    def list_orgs(self) -> list[str]:
        """Return the MSP ids of the required organisations, sorted."""
        return sorted(self._orgs)

    def policy(self) -> bytes:
        """Return the policy as a serialized SignaturePolicyEnvelope, the same on every peer."""
        msp_ids = self.list_orgs()
        signatures = [policies_pb2.SignaturePolicy(signed_by=i) for i in range(len(msp_ids))]
        all_of = policies_pb2.SignaturePolicy.NOutOf(n=len(msp_ids), rules=signatures)
        envelope = policies_pb2.SignaturePolicyEnvelope(
            version=0,
            rule=policies_pb2.SignaturePolicy(n_out_of=all_of),
            identities=[self._principal(msp_id) for msp_id in msp_ids],
        )
        return envelope.SerializeToString(deterministic=True)

    def _principal(self, msp_id: str) -> msp_principal_pb2.MSPPrincipal:
        role = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=self._orgs[msp_id])
        return msp_principal_pb2.MSPPrincipal(
            principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
            principal=role.SerializeToString(),
        )
