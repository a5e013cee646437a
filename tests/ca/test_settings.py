"""fabric-ca-server-config.yaml and FABRIC_CA_SERVER_* variables."""

from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from gridloom.ca.attributes import Attribute
from gridloom.ca.authority_settings import AFFILIATIONS, REGISTRAR
from gridloom.ca.config_file import create_config
from gridloom.ca.settings import CONFIG_FILE, load_settings
from gridloom.common.settings import InvalidSetting


def written(folder, **document):
    (folder / CONFIG_FILE).write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


def authority(folder, environment=None, **document):
    return load_settings(written(folder, **document), environment or {}).homes[0].authority


def test_a_new_home_has_fabric_cas_defaults(tmp_path):
    create_config(tmp_path, "admin:admin:pw", "ca-org1")
    assert (tmp_path / CONFIG_FILE).stat().st_mode & 0o777 == 0o600
    settings = load_settings(tmp_path, {})
    (home,) = settings.homes
    assert (settings.address, settings.port, settings.tls) == ("127.0.0.1", 7054, None)
    assert home.authority.name == "ca-org1"
    (admin,) = home.authority.identities
    assert (admin.id, admin.secret, admin.attributes) == ("admin", "admin:pw", REGISTRAR)
    assert home.authority.affiliations == AFFILIATIONS
    assert home.authority.profiles["tls"].usages[0] == "signing"
    assert home.authority.profiles["ca"].max_path_length == 0
    assert home.authority.profiles[""].expiry == timedelta(hours=8760)
    assert home.authority.password_attempts == 10
    assert not home.authority.may_remove_identities
    assert home.certificate.path_length == 1
    assert home.certificate.names == {
        "C": "US",
        "ST": "North Carolina",
        "O": "Hyperledger",
        "OU": "Fabric",
    }


@pytest.mark.parametrize("boot", ["", "admin", ":pw", "admin:"])
def test_a_new_home_needs_a_registrar(tmp_path, boot):
    with pytest.raises(InvalidSetting, match="-b id:secret"):
        create_config(tmp_path, boot)


def test_odd_names_survive_the_file(tmp_path):
    create_config(tmp_path, 'Zoë: "x" #1:p{w}', "ca: {1}", "https://a:b@h:1")
    home = load_settings(tmp_path, {}).homes[0]
    assert home.authority.name == "ca: {1}"
    assert home.authority.identities[0].id == "Zoë"
    assert home.authority.identities[0].secret == ' "x" #1:p{w}'
    assert home.parent.url == "https://a:b@h:1"


def test_variables_come_before_the_document_and_the_command_line_before_both(tmp_path):
    folder = written(tmp_path, port=1, ca={"name": "document"}, tls={"enabled": False})
    environment = {
        "FABRIC_CA_SERVER_PORT": "2",
        "FABRIC_CA_SERVER_CA_NAME": "variable",
        "FABRIC_CA_SERVER_TLS_ENABLED": "true",
        "FABRIC_CA_SERVER_REGISTRY_MAXENROLLMENTS": "7",
        "FABRIC_CA_SERVER_COMPATIBILITY_MODE_V1_3": "true",
        "FABRIC_CA_SERVER_MAX_IDS_PER_CHUNK": "5",
    }
    settings = load_settings(folder, environment, {"ca.name": "line"})
    assert (settings.port, settings.homes[0].authority.name) == (2, "line")
    assert settings.tls.certificate == tmp_path / "tls-cert.pem"
    assert settings.homes[0].authority.max_enrollments == 7
    assert settings.homes[0].authority.identities_per_chunk == 5
    assert settings.compatible_1_3


def test_the_test_networks_document_is_understood(tmp_path):
    """With the parts that differ from fabric-ca's defaults (fabric-samples, org1)."""
    document = {
        "version": "1.2.0",
        "tls": {"enabled": True, "certfile": None, "clientauth": {"type": "noclientcert"}},
        "ca": {"name": "Org1CA", "keyfile": None, "certfile": None, "chainfile": None},
        "registry": {
            "maxenrollments": -1,
            "identities": [
                {
                    "name": "admin",
                    "pass": "adminpw",
                    "type": "client",
                    "affiliation": "",
                    "attrs": {"hf.Registrar.Roles": "*", "hf.Revoker": True},
                }
            ],
        },
        "db": {"type": "sqlite3", "datasource": "fabric-ca-server.db", "tls": {"enabled": False}},
        "ldap": {"enabled": False, "url": "ldap://<adminDN>"},
        "affiliations": {"org1": ["department1", "department2"], "org2": ["department1"]},
        "signing": {
            "default": {"usage": ["digital signature"], "expiry": "8760h"},
            "profiles": {
                "ca": {
                    "usage": ["cert sign", "crl sign"],
                    "expiry": "43800h",
                    "caconstraint": {"isca": True, "maxpathlen": 0},
                },
                "tls": {"usage": ["signing", "server auth"], "expiry": "100h"},
            },
        },
        "csr": {
            "cn": "ca.org1.example.com",
            "names": [{"C": "US", "ST": "North Carolina", "L": "Durham", "O": "org1"}],
            "hosts": ["localhost", "org1.example.com"],
            "ca": {"expiry": "131400h", "pathlength": 1},
        },
        "bccsp": {"default": "SW"},
        "cacount": None,
        "cafiles": None,
        "intermediate": {"parentserver": {"url": None, "caname": None}},
    }
    settings = load_settings(written(tmp_path, **document), {})
    home = settings.homes[0]
    assert home.authority.identities[0].attributes[1] == Attribute("hf.Revoker", "1")
    assert home.authority.profiles["tls"].expiry == timedelta(hours=100)
    assert home.certificate.common_name == "ca.org1.example.com"
    assert home.certificate.hosts == ("localhost", "org1.example.com")
    assert home.parent is None


def test_affiliations_are_a_tree_whose_inner_names_are_lower_case(tmp_path):
    tree = {"Org1": {"Sales": ["North", {"South": None}]}, "org2": None, "org3": "Leaf"}
    assert authority(tmp_path, affiliations=tree).affiliations == (
        "org1",
        "org1.sales",
        "org1.sales.North",
        "org1.sales.south",
        "org2",
        "org3",
        "org3.Leaf",
    )


def test_attributes_may_be_marked_for_certificates(tmp_path):
    identity = {"name": "a", "pass": "b", "attrs": {"role": "BU:ecert", "level": 3}}
    (found,) = authority(tmp_path, registry={"identities": [identity]}).identities
    assert found.attributes == (Attribute("role", "BU", True), Attribute("level", "3"))


def test_several_cas_by_count(tmp_path):
    identities = [{"name": "admin", "pass": "pw"}]
    folder = written(tmp_path, cacount=2, registry={"identities": identities}, ca={"name": "ca"})
    homes = load_settings(folder, {}).homes
    assert [home.authority.name for home in homes] == ["ca", "ca1", "ca2"]
    assert homes[2].folder == tmp_path / "ca" / "ca2"
    assert homes[2].authority.identities[0].id == "admin"
    assert len({home.certificate.common_name for home in homes}) == 3


def test_several_cas_by_files_that_inherit_what_they_do_not_say(tmp_path):
    own = tmp_path / "second"
    own.mkdir()
    second = {
        "ca": {"name": "second"},
        "registry": {"identities": [{"name": "other", "pass": "pw"}]},
        "csr": {"cn": "second"},
    }
    (own / "ca.yaml").write_text(yaml.safe_dump(second))
    folder = written(
        tmp_path,
        ca={"name": "first"},
        cafiles=["second/ca.yaml"],
        registry={"identities": [{"name": "admin", "pass": "pw"}], "maxenrollments": 5},
        cfg={"identities": {"allowremove": True}},
    )
    first, second = load_settings(folder, {"FABRIC_CA_SERVER_CRL_EXPIRY": "2h"}).homes
    assert second.authority.name == "second"
    assert [each.id for each in second.authority.identities] == ["other"]
    assert second.authority.max_enrollments == 5
    assert second.authority.may_remove_identities
    assert second.authority.crl_expiry == timedelta(hours=2)
    assert second.certificate_file == own / "ca-cert.pem"
    assert first.certificate_file == tmp_path / "ca-cert.pem"


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"port": "many"}, "port"),
        ({"ldap": {"enabled": True}}, "ldap.enabled"),
        ({"db": {"type": "mysql"}}, "db.type"),
        ({"db": {"type": "postgres"}}, "db.datasource"),
        ({"registry": {"identities": {"name": "x"}}}, "registry.identities"),
        ({"registry": {"identities": [{"name": "x"}]}}, "registry.identities"),
        ({"registry": {"identities": ["x"]}}, "registry.identities"),
        ({"registry": {"maxenrollments": "no"}}, "registry.maxenrollments"),
        ({"signing": {"default": {"usage": ["spy"]}}}, "signing.default"),
        ({"signing": {"default": {"usage": "signing"}}}, "signing.default.usage"),
        ({"signing": {"profiles": {"x": {"expiry": "soon"}}}}, "signing.profiles.x"),
        ({"signing": {"profiles": {"x": {"expiry": "-1h"}}}}, "signing.profiles.x"),
        ({"signing": {"profiles": ["x"]}}, "signing.profiles"),
        ({"csr": {"keyrequest": {"algo": "rsa", "size": 2048}}}, "csr.keyrequest"),
        ({"crl": {"expiry": "1 day"}}, "crl.expiry"),
        ({"tls": {"enabled": True, "clientauth": {"type": "perhaps"}}}, "tls.clientauth.type"),
        ({"cacount": 1, "cafiles": ["x"]}, "cacount"),
        ({"cacount": 2**70}, "cacount"),
        ({"cacount": -1}, "cacount"),
        ({"cafiles": ["nosuch.yaml"]}, "nosuch.yaml"),
        ({"intermediate": {"parentserver": {"url": "http://a:b@c"}}, "csr": {"cn": "x"}}, "csr.cn"),
        ({"intermediate": {"parentserver": {"url": "http://a:b@c"}}, "cacount": 1}, "cacount"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_named(tmp_path, document, key):
    with pytest.raises(InvalidSetting) as invalid:
        load_settings(written(tmp_path, **document), {})
    assert invalid.value.key.endswith(key)


def test_no_setting_shows_a_secret(tmp_path):
    create_config(tmp_path, "admin:s3cret", parent="https://id:s3cret@host:1")
    folder = written(
        tmp_path,
        registry={"identities": [{"name": "admin", "pass": "s3cret"}]},
        db={"type": "postgres", "datasource": "password=s3cret"},
        intermediate={"parentserver": {"url": "https://id:s3cret@host:1"}},
    )
    assert "s3cret" not in repr(load_settings(folder, {}))
