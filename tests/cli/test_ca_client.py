"""``gridloom ca enroll`` and its neighbours, on the CAs of a running network."""

import json
import shlex

import pytest
from cryptography import x509

from gridloom.common.certificates import attributes, parse_pem

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def ca(network):
    """What network.json says of Org1's CA."""
    listed = network.home.state()["certificate_authorities"]
    return next(each for each in listed if each["name"] == "ca-org1")


@pytest.fixture
def client(run, ca, tmp_path, monkeypatch):
    """Run ``gridloom ca …`` as whoever is in a folder; options come from the environment."""
    monkeypatch.setenv("FABRIC_CA_CLIENT_TLS_CERTFILES", ca["ca_cert"])
    monkeypatch.setenv("FABRIC_CA_CLIENT_URL", ca["url"])

    def command(line, home="admin"):
        return run(f"ca {line} -H {shlex.quote(str(tmp_path / home))}")

    return command


def with_secret(ca, name, secret):
    return ca["url"].replace("https://", f"https://{name}:{secret}@")


@pytest.fixture
def admin(client, ca):
    """The registrar, enrolled; return how to run commands as it."""
    outcome = client(f"enroll -u {with_secret(ca, 'admin', 'adminpw')}")
    assert outcome.status == 0, outcome
    assert "adminpw" not in outcome.out + outcome.err
    return client


def enroll(client, ca, name, secret, options=""):
    outcome = client(f"enroll -u {with_secret(ca, name, secret)} {options}", home=name)
    assert outcome.status == 0, outcome
    return outcome


def certificate(folder):
    return parse_pem((folder / "msp" / "signcerts" / "cert.pem").read_bytes())


def test_an_enrolment_leaves_a_file_of_settings_and_an_msp_folder(admin, tmp_path, ca):
    home = tmp_path / "admin"
    text = (home / "fabric-ca-client-config.yaml").read_text()
    assert ca["url"] in text
    assert "adminpw" not in text
    host = ca["url"].removeprefix("https://").replace(":", "-")
    assert (home / "msp" / "cacerts" / f"{host}.pem").read_bytes()
    names = certificate(home).certificate.subject.rfc4514_string()
    assert names == "CN=admin,ST=North Carolina,OU=client,O=Hyperledger,C=US"


def test_registering_prints_the_secret(admin, ca, client, tmp_path):
    said = admin("register --id.name carol --id.secret carolpw --id.affiliation org1.department1")
    assert said.out == "Password: carolpw\n"
    secret = admin("register --id.name dave --id.type peer").out.removeprefix("Password: ").strip()
    assert len(secret) == 12
    enroll(client, ca, "carol", "carolpw")
    enroll(client, ca, "dave", secret)
    units = certificate(tmp_path / "carol").organizational_units
    assert set(units) == {"client", "org1", "department1"}
    assert certificate(tmp_path / "dave").organizational_units == ("peer",)


def test_attributes_are_registered_and_asked_for(admin, ca, client, tmp_path):
    options = "--id.attrs gridloom.role=SU:ecert,level=3 --id.attrs '\"list=a,b\"'"
    assert admin(f"register --id.name erin --id.secret pw {options}").status == 0
    enroll(client, ca, "erin", "pw")
    found = attributes(certificate(tmp_path / "erin").certificate)
    assert found["gridloom.role"] == "SU"
    assert "level" not in found
    enroll(client, ca, "erin", "pw", "--enrollment.attrs level,list,nothing:opt")
    found = attributes(certificate(tmp_path / "erin").certificate)
    assert found == {"level": "3", "list": "a,b"}
    wrong = client(
        f"enroll -u {with_secret(ca, 'erin', 'pw')} --enrollment.attrs nothing", home="erin"
    )
    assert wrong.status == 1
    assert "required attributes are missing: [nothing]" in wrong.err


def test_requests_are_as_asked(admin, ca, client, tmp_path):
    assert admin("register --id.name web --id.secret pw").status == 0
    options = "--enrollment.profile tls --csr.hosts web.example.com,10.0.0.1 --csr.hosts localhost"
    names = "--csr.names C=CH,O=Power --csr.serialnumber 17 --csr.keyrequest.size 384"
    enroll(client, ca, "web", "pw", f"{options} {names} -M tls")
    tls = tmp_path / "web" / "tls"
    issued = parse_pem((tls / "signcerts" / "cert.pem").read_bytes())
    assert len(list((tls / "tlscacerts").iterdir())) == 1
    assert not list((tls / "cacerts").iterdir())
    hosts = issued.extension(x509.SubjectAlternativeName)
    assert hosts.get_values_for_type(x509.DNSName) == ["web.example.com", "localhost"]
    assert [str(each) for each in hosts.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    subject = issued.certificate.subject.rfc4514_string()
    assert {"CN=web", "O=Power", "C=CH", "2.5.4.5=17"} <= set(subject.split(","))
    assert issued.certificate.public_key().curve.name == "secp384r1"


def test_re_enrolling_renews_with_another_key_or_the_same(admin, tmp_path):
    home = tmp_path / "admin"
    first = certificate(home)
    assert admin("reenroll").status == 0
    second = certificate(home)
    assert second.serial_number != first.serial_number
    assert second.key.id != first.key.id
    assert admin("reenroll --csr.keyrequest.reusekey").status == 0
    assert certificate(home).key.id == second.key.id
    assert len(list((home / "msp" / "keystore").iterdir())) == 2


def test_files_may_have_other_names(admin, ca, client, tmp_path):
    assert admin("register --id.name named --id.secret pw").status == 0
    names = "--mycertfile my/cert.pem --myskfile my/key.pem --mycacertfile my/ca.pem"
    enroll(client, ca, "named", "pw", names)
    msp = tmp_path / "named" / "msp"
    assert (msp / "my" / "ca.pem").exists()
    assert (msp / "my" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert client(f"reenroll {names}", home="named").status == 0


def test_revoking_and_the_list_of_what_is_revoked(admin, ca, client, tmp_path):
    for name in ("mallory", "trudy"):
        assert admin(f"register --id.name {name} --id.secret pw").status == 0
        enroll(client, ca, name, "pw")
    lost = certificate(tmp_path / "mallory")
    aki = lost.extension(x509.AuthorityKeyIdentifier).key_identifier.hex()
    revoked = admin(f"revoke -s {lost.serial_number:x} -a {aki} -r keycompromise --gencrl")
    assert revoked.status == 0
    assert f"{{{lost.serial_number:x} {aki.lstrip('0')}}}" in revoked.err
    file = tmp_path / "admin" / "msp" / "crls" / "crl.pem"
    assert listed(file, lost)
    other = certificate(tmp_path / "trudy")
    assert not listed(file, other)
    assert admin("revoke --revoke.name trudy").status == 0
    assert admin("gencrl").status == 0
    assert listed(file, other)
    assert admin("gencrl --revokedafter 2126-01-01T00:00:00Z").status == 0
    assert not listed(file, other)
    refused = client("reenroll", home="trudy")
    assert refused.status == 1
    assert "Authentication failure" in refused.err


def listed(file, certificate):
    crl = x509.load_pem_x509_crl(file.read_bytes())
    return crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def test_identities_are_seen_and_changed(admin):
    added = admin("identity add frank --type client --affiliation org1 --attrs x=y:ecert")
    assert added.status == 0, added
    assert added.out.startswith(
        "Successfully added identity - Name: frank, Type: client, Affiliation: org1, "
    )
    assert "{Name:x Value:y ECert:true}" in added.out
    assert admin("identity modify frank --affiliation org1.department2").status == 0
    shown = admin("identity list --id frank")
    assert shown.out.startswith("Name: frank, Type: client, Affiliation: org1.department2, ")
    everybody = admin("identity list").out.splitlines()
    assert {"Name: admin", "Name: frank"} <= {line.partition(",")[0] for line in everybody}
    document = json.dumps({"affiliation": "org2", "attrs": [{"name": "z", "value": "1"}]})
    assert admin(f"identity modify frank --json {shlex.quote(document)}").status == 0
    assert "Affiliation: org2" in admin("identity list --id frank").out
    assert "Successfully removed identity - Name: frank" in admin("identity remove frank").out
    gone = admin("identity list --id frank")
    assert gone.status == 1
    assert "no rows in result set" in gone.err


@pytest.mark.parametrize("document", ["{", "[]", '{"attrs": [1]}', '{"attrs": 1}'])
def test_json_that_says_nothing_sensible_is_a_usage_error(admin, document):
    assert admin(f"identity add x --json {shlex.quote(document)}").status == 2


def test_affiliations_are_seen_and_changed(admin):
    assert admin("affiliation add org8.a").status == 1
    assert admin("affiliation add org8.a --force").status == 0
    assert admin("affiliation modify org8.a --name org8.b").status == 0
    assert admin("affiliation list --affiliation org8").out == (
        "affiliation: org8\n   affiliation: org8.b\n"
    )
    assert admin("affiliation list").out.startswith("affiliation: .\n")
    assert admin("affiliation remove org8 --force").status == 0
    assert admin("affiliation list --affiliation org8").status == 1


def test_certificates_are_listed_and_stored(admin, ca, client, tmp_path):
    assert admin("register --id.name grace --id.secret pw").status == 0
    for _ in range(2):
        enroll(client, ca, "grace", "pw")
    shown = admin("certificate list --id grace --expiration now:: --notrevoked --store found")
    assert shown.status == 0, shown
    assert shown.out.count("Subject: CN=grace") == 2
    stored = tmp_path / "admin" / "found"
    assert sorted(path.name for path in stored.iterdir()) == ["grace-1.pem", "grace-2.pem"]
    serial = f"{certificate(tmp_path / 'grace').serial_number:x}"
    assert serial in admin(f"certificate list --serial {serial}").out
    assert admin("certificate list --id nobody").out == "No results returned\n"
    assert admin("certificate list --expiration 2026").status == 2


def test_the_chain_of_a_ca_is_for_everybody(client, tmp_path):
    assert client("getcainfo", home="nobody").status == 0
    (root,) = (tmp_path / "nobody" / "msp" / "cacerts").iterdir()
    assert parse_pem(root.read_bytes()).common_name == "ca.org1.example.com"
    assert client("getcainfo --caname ca-org1", home="nobody").status == 0
    assert len(list(root.parent.iterdir())) == 2


def test_a_request_can_be_made_for_somebody_else_to_sign(client, tmp_path):
    assert client("gencsr --csr.cn heidi --csr.hosts h.example.com", home="heidi").status == 0
    msp = tmp_path / "heidi" / "msp"
    request = x509.load_pem_x509_csr((msp / "signcerts" / "heidi.csr").read_bytes())
    assert "CN=heidi" in request.subject.rfc4514_string()
    assert len(list((msp / "keystore").iterdir())) == 1


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("enroll", 2, "NAME:SECRET@localhost"),
        ("reenroll", 1, "enroll first"),
        ("register --id.name x", 1, "enroll first"),
        ("register", 2, "--id.name"),
        ("revoke", 2, "--revoke.serial"),
        ("gencrl --revokedafter yesterday", 2, "--revokedafter"),
        ("gencrl --revokedafter 2026-01-01", 2, "time zone"),
        ("gencrl --expireafter 2027-01-01T00:00Z --expirebefore 2026-01-01T00:00Z", 2, "after"),
        ("enroll -u ftp://a:b@localhost", 1, "https://HOST:PORT"),
        ("getcainfo -u http://localhost:1", 1, "no answer"),
        ("getcainfo --caname ca-of-nobody", 1, "CA 'ca-of-nobody' does not exist"),
        ("getcainfo --tls.certfiles /nowhere.pem", 1, "nowhere.pem"),
        ("gencsr", 2, "--csr.cn"),
        ("gencsr --csr.cn x --csr.keyrequest.algo rsa", 1, "neither ecdsa nor ed25519"),
        ("gencsr --csr.cn x --csr.keyrequest.size 1", 1, "key size"),
        ("gencsr --csr.cn x --csr.names C", 2, "PART=VALUE"),
        ("gencsr --csr.cn x --csr.names X=1", 1, "'X' is none of"),
        ("gencsr --csr.cn x --csr.names C=Switzerland", 1, "subject"),
        ("gencsr --csr.cn x --csr.hosts ä.example.com", 1, "hosts"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_explained(client, line, status, said):
    outcome = client(line, home="nobody")
    assert outcome.status == status, outcome
    assert said in " ".join(outcome.err.split())
    assert "Traceback" not in outcome.err


def test_a_wrong_secret_is_not_repeated(client, ca):
    outcome = client(f"enroll -u {with_secret(ca, 'admin', 'wr0ng')}")
    assert outcome.status == 1
    assert "Authentication failure" in outcome.err
    assert "wr0ng" not in outcome.out + outcome.err


def test_one_may_be_quiet(client, ca):
    outcome = client(f"enroll -u {with_secret(ca, 'admin', 'adminpw')} --loglevel error")
    assert (outcome.status, outcome.err) == (0, "")
