"""Enrolling users, and nodes again, with the CA servers of a network that runs.

(fabric-samples: test-network/organizations/fabric-ca/registerEnroll.sh)
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.client.enrollment import (
    Attribute,
    CaIdentity,
    CertificateAuthority,
    Registration,
)
from gridloom.common.rpc.tls import ClientTls

from .authorities import REGISTRAR, REGISTRAR_SECRET
from .connection_profile import reachable
from .enrollment import Enrollment
from .material import Material
from .topology import Topology


class NetworkRegistrar:
    """Registers and enrols people of any organization; whom it enrols the material keeps.

    Its calls raise AuthorityUnreachable and AuthorityRefused.
    """

    def __init__(self, topology: Topology, material: Material) -> None:
        self._topology = topology
        self._material = material
        self._registrars: dict[str, CaIdentity] = {}

    def authority(self, organization: str) -> CertificateAuthority:
        """Return an organization's CA, by its name or MSP id; MaterialError."""
        msp_id = self._material.organization(organization).msp_id
        (spec,) = (org for org in self._topology.every_organization() if org.msp_id == msp_id)
        node, root = spec.authority, self._material.organization(msp_id).ca.certificate.pem()
        scheme, tls = ("https", ClientTls(root)) if self._topology.tls else ("http", None)
        url = f"{scheme}://{reachable(node.host)}:{node.port}"
        return CertificateAuthority(url, node.name, tls)

    async def enroll_user(
        self, organization: str, name: str, attributes: Mapping[str, str] | None = None
    ) -> Enrollment:
        """Register a client and enrol him; MaterialError if he is there already.

        attributes: what the CA vouches for in his certificate.
        """
        self._material.check_new_user(organization, name)
        authority = self.authority(organization)
        registrar = self._registrars.get(organization)
        if registrar is None:
            registrar = await authority.enroll(REGISTRAR, REGISTRAR_SECRET)
            self._registrars[organization] = registrar
        listed = [Attribute(key, value, ecert=True) for key, value in (attributes or {}).items()]
        secret = await registrar.register(Registration(name, attributes=listed))
        user = await authority.enroll(name, secret)
        signer = user.signer(self._material.organization(organization).msp_id)
        return self._material.adopt_user(organization, name, signer, user.private_key)

    async def renew_node(self, name: str) -> Enrollment:
        """Re-enrol a peer or an orderer, by its full name; MaterialError if there is none.

        An orderer of a cluster keeps its certificate for TLS: the channels' configurations name it.
        """
        node = self._material.node(name)
        authority = self.authority(node.msp_id)
        renewed = await authority.identity(node.certificate_pem, node.private_key).reenroll()
        named = self._topology.clustered and node.role == "orderer"
        return self._material.renew_node(
            name, renewed.signer(node.msp_id), renewed.private_key, tls=not named
        )
