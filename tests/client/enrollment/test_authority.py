"""The client against the dialogues of a real fabric-ca server: what it sends and what it reads."""

from base64 import b64decode

import pytest
from cryptography import x509

from gridloom.client.enrollment import (
    Attribute,
    AttributeRequest,
    AuthorityRefused,
    AuthorityUnreachable,
    BadAuthorityUrl,
    CertificateAuthority,
    CertificateFilter,
    EnrollmentRequest,
    IdentityChange,
    Registration,
    RevokedCertificate,
)
from gridloom.client.enrollment.token import signed_part
from gridloom.common import certificates, crypto
from harness.authorities import member, root_ca
from harness.golden_ca import Player, dialogue, route
from harness.web import serving


@pytest.fixture
async def player():
    return Player()


@pytest.fixture
async def authority(player):
    async with serving(lambda: player) as web:
        yield CertificateAuthority(f"http://localhost:{web.port}")


@pytest.fixture
def registrar(authority):
    someone = member(root_ca(), "admin")
    key = crypto.generate_key(iter_bytes)
    return authority.identity(someone.certificate_pem, key)


def iter_bytes(count: int) -> bytes:
    return bytes(range(count))


def as_recorded(asked, name):
    """The request is the recorded one: method, path, query and what the body says."""
    recorded = dialogue(name)
    assert (asked.method, asked.uri) == route(recorded)
    return asked.document, recorded["request"]["body"]


def test_the_recorded_tokens_are_of_this_form():
    checked = 0
    for name in ("register-user", "identity-get", "gencrl", "affiliation-add-force"):
        recorded = dialogue(name)["request"]
        pem, signature = recorded["headers"]["Authorization"].split(".")
        certificate = certificates.parse_pem(b64decode(pem))
        signed = signed_part(
            recorded["method"], recorded["path"], recorded["body_text"].encode(), pem.encode()
        )
        certificate.key.verify(signed, b64decode(signature))
        checked += 1
    assert checked == 4


async def test_info(player, authority):
    player.names = ["cainfo-post-api-v1"]
    info = await authority.info()
    assert player.asked[0].method == "POST"
    assert player.asked[0].uri == "/api/v1/cainfo"
    recorded = dialogue("cainfo-post-api-v1")["response"]["body"]["result"]
    assert (info.name, info.version) == ("ca-org1", recorded["Version"])
    assert certificates.parse_pem(info.chain).common_name == "ca.org1.example.com"
    assert info.issuer_public_key == b64decode(recorded["IssuerPublicKey"])


async def test_enrolling(player, authority):
    player.names = ["enroll-user-attr-reqs"]
    request = EnrollmentRequest(
        profile="tls",
        hosts=("peer0.org1.example.com", "::1", "10.0.0.1", "a@b.example"),
        subject=(("C", "US"), ("O", "Hyperledger")),
        attributes=(AttributeRequest("level"), AttributeRequest("email", optional=True)),
    )
    alice = await authority.enroll("alice", "alice:pw", request)
    (asked,) = player.asked
    assert b64decode(asked.authorization.removeprefix("Basic ")) == b"alice:alice:pw"
    document = asked.document
    assert document["attr_reqs"] == [
        {"name": "level", "optional": False},
        {"name": "email", "optional": True},
    ]
    assert (document["profile"], document["hosts"]) == ("tls", list(request.hosts))
    csr = x509.load_pem_x509_csr(document["certificate_request"].encode())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=alice,O=Hyperledger,C=US"
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.org1.example.com"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["::1", "10.0.0.1"]
    assert names.get_values_for_type(x509.RFC822Name) == ["a@b.example"]
    assert alice.name == "alice"
    assert certificates.attributes(alice.signer("Org1MSP").certificate) == {"level": "3"}
    assert alice.info.name == "ca-org1"
    assert alice.private_key.public_key() == csr.public_key()
    assert "PRIVATE" not in repr(alice) + repr(request)


async def test_the_authority_s_name_goes_with_every_call(player, authority):
    authority.ca_name = "ca-org1"
    player.names = ["enroll-admin", "register-user", "identity-get"]
    admin = await authority.enroll("admin", "adminpw")
    await admin.register(Registration("alice"))
    await admin.registered("alice")
    enrolled, registered, asked = player.asked
    assert enrolled.document["caname"] == registered.document["caname"] == "ca-org1"
    assert asked.uri == "/api/v1/identities/alice?ca=ca-org1"


async def test_every_call_is_signed_over_what_is_sent(player, registrar):
    player.names = ["register-user", "certificates-by-id"]
    await registrar.register(Registration("alice"))
    await registrar.certificates(CertificateFilter(name="alice & co"))
    for asked in player.asked:
        certificate, signature = asked.authorization.split(".")
        assert b64decode(certificate) == registrar.certificate_pem
        signed = signed_part(asked.method, asked.uri, asked.body, certificate.encode())
        crypto.verify(registrar.private_key.public_key(), signed, b64decode(signature))
    assert player.asked[1].uri == "/api/v1/certificates?id=alice+%26+co"


async def test_registering(player, registrar):
    player.names = ["register-user", "register-generated-secret"]
    registration = Registration(
        "alice",
        "alicepw",
        affiliation="org1.department1",
        attributes=(Attribute("role", "auditor", ecert=True), Attribute("level", "3")),
        max_enrollments=-1,
    )
    assert await registrar.register(registration) == "alicepw"
    sent, recorded = as_recorded(player.asked[0], "register-user")
    assert sent == {name: value for name, value in recorded.items() if name != "caname"}
    assert await registrar.register(Registration("bob", affiliation="org1")) == "eLNayHmeENXe"
    sent, recorded = as_recorded(player.asked[1], "register-generated-secret")
    assert sent == recorded | {"attrs": []}
    assert "alicepw" not in repr(registration)


async def test_reenrolling(player, registrar):
    player.names = ["reenroll-user"]
    again = await registrar.reenroll()
    as_recorded(player.asked[0], "reenroll-user")
    assert again.private_key != registrar.private_key
    assert again.signer("Org1MSP").details.common_name == "alice"


async def test_revoking(player, registrar):
    player.names = ["revoke-cert", "revoke-identity", "gencrl"]
    recorded = dialogue("revoke-cert")["request"]["body"]
    revoked = await registrar.revoke(
        serial=recorded["serial"],
        authority_key_id=recorded["aki"],
        reason="keycompromise",
        crl=True,
    )
    sent, expected = as_recorded(player.asked[0], "revoke-cert")
    assert sent == expected
    assert revoked.certificates == (RevokedCertificate(recorded["serial"], recorded["aki"]),)
    assert x509.load_pem_x509_crl(revoked.crl)[0].serial_number == int(recorded["serial"], 16)
    nothing = await registrar.revoke("bob", reason="affiliationchange")
    assert (nothing.certificates, nothing.crl) == ((), None)
    sent, expected = as_recorded(player.asked[1], "revoke-identity")
    assert sent == expected | {"gencrl": False}
    assert b"X509 CRL" in await registrar.revocation_list()


async def test_identities(player, registrar):
    player.names = ["identities-list", "identity-get", "identity-add", "identity-modify"]
    player.names += ["identity-remove"]
    everybody = await registrar.identities()
    assert {"admin", "alice", "bob"} <= {each.name for each in everybody}
    alice = await registrar.registered("alice")
    as_recorded(player.asked[1], "identity-get")
    assert (alice.kind, alice.affiliation, alice.max_enrollments) == (
        "client", "org1.department1", -1,
    )  # fmt: skip
    assert Attribute("role", "auditor", True) in alice.attributes
    frank = await registrar.add_identity(Registration("frank", "frankpw", affiliation="org1"))
    sent, recorded = as_recorded(player.asked[2], "identity-add")
    assert sent == recorded
    assert frank.secret == "frankpw"
    change = IdentityChange(
        affiliation="org1.department2", attributes=(Attribute("x", "y", ecert=True),)
    )
    changed = await registrar.modify_identity("frank", change)
    sent, recorded = as_recorded(player.asked[3], "identity-modify")
    assert sent == recorded
    assert changed.affiliation == "org1.department2"
    gone = await registrar.remove_identity("frank")
    as_recorded(player.asked[4], "identity-remove")
    assert gone.name == "frank"


async def test_affiliations(player, registrar):
    player.names = ["affiliations-list", "affiliation-get", "affiliation-add"]
    player.names += ["affiliation-add-force", "affiliation-modify", "affiliation-remove"]
    root = await registrar.affiliations()
    assert root.name == ""
    names = {child.name: [each.name for each in child.children] for child in root.children}
    assert names == {
        "org1": ["org1.department1", "org1.department2"],
        "org2": ["org2.department1"],
    }
    assert len((await registrar.affiliation("org1")).children) == 2
    assert (await registrar.add_affiliation("org1.department3")).name == "org1.department3"
    await registrar.add_affiliation("org7.a.b", force=True)
    await registrar.modify_affiliation("org1.department3", "org1.department4")
    await registrar.remove_affiliation("org1.department4")
    for asked, name in zip(
        player.asked[2:],
        ("affiliation-add", "affiliation-add-force", "affiliation-modify", "affiliation-remove"),
        strict=True,
    ):
        sent, recorded = as_recorded(asked, name)
        assert sent == recorded


async def test_certificates(player, registrar):
    player.names = ["certificates-by-id"]
    found = await registrar.certificates(CertificateFilter(name="alice"))
    as_recorded(player.asked[0], "certificates-by-id")
    assert {certificates.parse_pem(each).common_name for each in found} == {"alice"}


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("enroll-wrong-password", 401, 20),
        ("register-duplicate", 409, 74),
        ("identity-get-missing", 404, 63),
        ("enroll-user-attr-missing", 500, 0),
        ("register-by-non-registrar", 403, 71),
    ],
)
async def test_a_refusal_says_what_the_authority_says(player, registrar, name, status, code):
    player.names = [name]
    with pytest.raises(AuthorityRefused) as refused:
        await registrar.register(Registration("alice"))
    assert (refused.value.status, refused.value.code) == (status, code)
    message = dialogue(name)["response"]["body"]["errors"][0]["message"]
    assert message in str(refused.value)


async def test_an_answer_that_no_authority_gives_is_refused(player, registrar):
    player.names = ["unknown-path", "register-user"]
    with pytest.raises(AuthorityRefused, match="404"):
        await registrar.register(Registration("alice"))
    with pytest.raises(AuthorityRefused, match="no authority gives"):
        await registrar.reenroll()


async def test_nobody_there():
    with pytest.raises(AuthorityUnreachable) as unreachable:
        await CertificateAuthority("http://user:secret@localhost:1").info()
    assert unreachable.value.url == "http://localhost:1"


@pytest.mark.parametrize(
    "url", ["localhost:7054", "https://", "ftp://localhost", "http://h:x", "http://[::1", ""]
)
def test_a_url_that_is_none(url):
    with pytest.raises(BadAuthorityUrl):
        CertificateAuthority(url)


def test_a_bad_url_does_not_show_the_secret():
    with pytest.raises(BadAuthorityUrl) as bad:
        CertificateAuthority("ftp://admin:adminpw@localhost")
    assert "adminpw" not in str(bad.value)
