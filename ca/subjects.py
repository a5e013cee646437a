"""Whom a certificate speaks of: distinguished names, host names, attributes.

(Fabric: cryptogen's subject template, which fabric-samples' test network shows; fabric-ca
lib/attrmgr for the attributes)
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from gridloom.common.certificates import ATTRIBUTES_OID
from gridloom.common.go_json import go_json


@dataclass(frozen=True, slots=True)
class Subject:
    """A distinguished name; empty fields are left out of it.

    units: organizational units, all in one (multi-valued) part of the name as Go writes
    them; a node OU role is one of them.
    """

    common_name: str
    units: Sequence[str] = ()
    organization: str = ""
    country: str = "US"
    province: str = "California"
    locality: str = "San Francisco"

    def name(self) -> x509.Name:
        """Encode in cryptogen's order: C, ST, L, O, OU, CN."""
        parts = (
            (NameOID.COUNTRY_NAME, (self.country,)),
            (NameOID.STATE_OR_PROVINCE_NAME, (self.province,)),
            (NameOID.LOCALITY_NAME, (self.locality,)),
            (NameOID.ORGANIZATION_NAME, (self.organization,)),
            (NameOID.ORGANIZATIONAL_UNIT_NAME, self.units),
            (NameOID.COMMON_NAME, (self.common_name,)),
        )
        return x509.Name(
            x509.RelativeDistinguishedName(x509.NameAttribute(oid, value) for value in values)
            for oid, values in parts
            if any(values)
        )


def alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """Tell DNS names from IP addresses (``[::1]`` is one too), URIs and mail addresses.

    Each once, in the order given; ValueError for what cannot be any of them.
    """
    return x509.SubjectAlternativeName([_alternative_name(host) for host in dict.fromkeys(hosts)])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        if "://" in host:
            return x509.UniformResourceIdentifier(host)
        return x509.RFC822Name(host) if "@" in host else x509.DNSName(host)


def attribute_extension(attributes: Mapping[str, str]) -> x509.UnrecognizedExtension:
    """Encode attributes as fabric-ca does: bare JSON with sorted names."""
    text = go_json({"attrs": dict(attributes)}, sort_keys=True)
    return x509.UnrecognizedExtension(ATTRIBUTES_OID, text.encode())
