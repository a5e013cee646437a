"""Chains as Go's Verify finds them: usages, criticals, path lengths, name constraints."""

import ipaddress
import random
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gridloom.ca.subjects import Subject, alternative_names
from gridloom.common import certificates, crypto
from gridloom.common.certificates import Certificate
from gridloom.common.identities import InvalidIdentity
from gridloom.common.msp.chains import TrustAnchors
from harness.authorities import NOW

CA_FLAG = (x509.BasicConstraints(True, None), True)


class Party:
    """A name with a key and a certificate made of exactly the extensions asked for."""

    def __init__(self, name, issuer=None, *extensions, key=None, start=NOW, algorithm=None):
        source = random.Random(name)
        self.key = key or crypto.generate_key(source.randbytes)
        self.name = Subject(name).name()
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(source.getrandbits(100) | 1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=10))
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        signed = builder.sign(signer.key, algorithm or hashes.SHA256())
        self.certificate = certificates.parse(signed.public_bytes(Encoding.DER))


def chain(leaf, *authorities) -> tuple[Certificate, ...]:
    """The leaf's chain: the last authority is the root, the others are intermediates."""
    *intermediates, root = (party.certificate for party in authorities)
    return TrustAnchors([root], intermediates).unique_chain(leaf.certificate)


def usages(*oids):
    return (x509.ExtendedKeyUsage(oids), False)


def names(*hosts):
    return (alternative_names(hosts), False)


ROOT = Party("root", None, CA_FLAG)


def test_a_chain_runs_from_the_leaf_to_the_root():
    middle = Party("middle", ROOT, CA_FLAG)
    leaf = Party("leaf", middle)
    assert [c.common_name for c in chain(leaf, middle, ROOT)] == ["leaf", "middle", "root"]
    assert [c.common_name for c in chain(ROOT, ROOT)] == ["root"]


def test_a_loop_of_intermediates_ends():
    one, two = Party("one", ROOT, CA_FLAG), Party("two", None, CA_FLAG)
    crossed_one = Party("one", two, CA_FLAG, key=one.key)
    crossed_two = Party("two", one, CA_FLAG, key=two.key)
    leaf = Party("leaf", two)
    with pytest.raises(InvalidIdentity, match="unknown authority"):
        chain(leaf, crossed_one, two, ROOT)
    assert len(chain(leaf, crossed_one, crossed_two, one, ROOT)) == 4


def test_a_hundred_signature_checks_are_enough():
    twins = [Party("ca", ROOT, CA_FLAG, key=crypto.generate_key(random.Random(n).randbytes))
             for n in range(120)]  # fmt: skip
    stranger = Party("leaf", Party("ca", ROOT, CA_FLAG))
    with pytest.raises(InvalidIdentity, match="attempts limit"):
        chain(stranger, *twins, ROOT)


@pytest.mark.parametrize(
    ("oids", "good"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], True),
        ([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH], True),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True),
        ([ExtendedKeyUsageOID.CLIENT_AUTH], False),
    ],
)
def test_an_extended_usage_must_allow_servers_everywhere(oids, good):
    """Fabric leaves Go's default usage in place, so this holds for signing certificates."""
    root = Party("root", None, CA_FLAG, usages(*oids))
    for leaf, authority in ((Party("leaf", ROOT, usages(*oids)), ROOT), (Party("l", root), root)):
        if good:
            chain(leaf, authority)
        else:
            with pytest.raises(InvalidIdentity, match="incompatible key usage"):
                chain(leaf, authority)


def test_an_unknown_critical_extension_is_refused_and_an_uncritical_one_is_not():
    extension = x509.UnrecognizedExtension(certificates.ATTRIBUTES_OID, b"{}")
    chain(Party("leaf", ROOT, (extension, False)), ROOT)
    with pytest.raises(InvalidIdentity, match="unhandled critical extension"):
        chain(Party("leaf", ROOT, (extension, True)), ROOT)


def test_a_path_length_limits_the_intermediates_below():
    root = Party("root", None, (x509.BasicConstraints(True, 0), True))
    middle = Party("middle", root, CA_FLAG)
    chain(Party("leaf", root), root)
    with pytest.raises(InvalidIdentity, match="too many intermediates"):
        chain(Party("leaf", middle), middle, root)


def test_a_ca_without_the_certificate_signing_usage_signs_nothing():
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    root = Party("root", None, CA_FLAG, (usage, True))
    with pytest.raises(InvalidIdentity, match="was not signed by root"):
        chain(Party("leaf", root), root)


def test_an_intermediate_that_is_no_ca_is_refused():
    middle = Party("middle", ROOT)
    with pytest.raises(InvalidIdentity, match="was not signed by middle"):
        chain(Party("leaf", middle), middle, ROOT)


def test_an_rsa_ca_may_issue():
    root = Party("root", None, CA_FLAG, key=rsa.generate_private_key(65537, 2048))
    chain(Party("leaf", root), root)
    assert not root.certificate.is_ecdsa_signed


def test_the_clock_stands_just_after_the_start_of_the_certificate():
    chain(Party("leaf", ROOT, start=NOW + timedelta(days=9)), ROOT)
    for start in (NOW - timedelta(seconds=2), NOW + timedelta(days=10)):
        with pytest.raises(InvalidIdentity, match="expired or is not yet valid"):
            chain(Party("leaf", ROOT, start=start), ROOT)


def constrained(permitted=None, excluded=None):
    constraints = x509.NameConstraints(permitted, excluded)
    return Party("root", None, CA_FLAG, (constraints, True))


@pytest.mark.parametrize(
    ("permitted", "excluded", "name", "good"),
    [
        (["example.com"], None, "peer0.example.com", True),
        (["example.com"], None, "EXAMPLE.com", True),
        ([".example.com"], None, "example.com", False),
        ([".example.com"], None, "a.example.com", True),
        (["example.com"], None, "badexample.com", False),
        (None, ["bad.com"], "x.bad.com", False),
        (None, ["bad.com"], "good.com", True),
        (["example.com"], ["x.example.com"], "x.example.com", False),
    ],
)
def test_dns_names_obey_the_constraints_of_their_ca(permitted, excluded, name, good):
    root = constrained(
        permitted and [x509.DNSName(value) for value in permitted],
        excluded and [x509.DNSName(value) for value in excluded],
    )
    leaf = Party("leaf", root, names(name))
    if good:
        chain(leaf, root)
    else:
        with pytest.raises(InvalidIdentity, match="name constraint"):
            chain(leaf, root)


@pytest.mark.parametrize(
    ("constraint", "name", "good"),
    [
        (x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
         x509.IPAddress(ipaddress.ip_address("10.1.2.3")), True),
        (x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
         x509.IPAddress(ipaddress.ip_address("11.1.2.3")), False),
        (x509.RFC822Name("ann@a.com"), x509.RFC822Name("ann@A.com"), True),
        (x509.RFC822Name("ann@a.com"), x509.RFC822Name("bob@a.com"), False),
        (x509.RFC822Name("a.com"), x509.RFC822Name("bob@a.com"), True),
        (x509.UniformResourceIdentifier("a.com"),
         x509.UniformResourceIdentifier("https://x.a.com/p"), True),
        (x509.UniformResourceIdentifier("a.com"),
         x509.UniformResourceIdentifier("https://b.com/a.com"), False),
        (x509.UniformResourceIdentifier("a.com"), x509.UniformResourceIdentifier("urn:x"), False),
        (x509.DNSName("a.com"), x509.RFC822Name("bob@b.com"), True),
    ],
)  # fmt: skip
def test_names_of_other_kinds_obey_constraints_of_their_kind(constraint, name, good):
    root = constrained([constraint])
    leaf = Party("leaf", root, (x509.SubjectAlternativeName([name]), False))
    if good:
        chain(leaf, root)
    else:
        with pytest.raises(InvalidIdentity, match="not permitted"):
            chain(leaf, root)


@pytest.mark.parametrize(
    ("common_name", "good"),
    [
        ("peer0.example.com", False),
        ("localhost", False),
        ("*.example.com", False),
        ("User1@example.com", True),
        ("two words", True),
        ("a..b", True),
        ("-dash", True),
    ],
)
def test_a_host_in_the_common_name_alone_fails_below_constraints(common_name, good):
    """Go 1.14's rule, which Fabric keeps so that old and new peers agree."""
    root = constrained([x509.DNSName("example.com")])
    leaf = Party(common_name, root)
    if good:
        chain(leaf, root)
    else:
        with pytest.raises(InvalidIdentity, match="doesn't have a SAN"):
            chain(leaf, root)
    chain(Party(common_name, ROOT), ROOT)
