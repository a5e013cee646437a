"""The environment of a chaincode service."""

import pytest

from gridloom.chaincode.errors import SettingsError
from gridloom.chaincode.settings import ServerSettings

ADDRESS = {"CHAINCODE_SERVER_ADDRESS": "0.0.0.0:9999", "CHAINCODE_ID": "basic_1:abc"}


def test_the_variables_of_fabric_samples_are_enough():
    settings = ServerSettings.from_environment({**ADDRESS, "CORE_PEER_LOCALMSPID": "Org1MSP"})
    assert (settings.address, settings.package_id) == ("0.0.0.0:9999", "basic_1:abc")
    assert (settings.tls, settings.msp_id) == (None, "Org1MSP")


def test_arguments_come_before_the_environment_and_the_shims_variable_is_known_too():
    environment = {"CORE_CHAINCODE_ID_NAME": "basic_1:abc"}
    settings = ServerSettings.from_environment(environment, address="127.0.0.1:0")
    assert (settings.address, settings.package_id) == ("127.0.0.1:0", "basic_1:abc")
    settings = ServerSettings.from_environment(ADDRESS, package_id="other:def")
    assert settings.package_id == "other:def"


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({}, "CHAINCODE_SERVER_ADDRESS"),
        ({"CHAINCODE_SERVER_ADDRESS": "localhost"}, "CHAINCODE_SERVER_ADDRESS"),
        ({"CHAINCODE_SERVER_ADDRESS": "localhost:1"}, "CHAINCODE_ID"),
        ({**ADDRESS, "CHAINCODE_TLS_DISABLED": "false"}, "CHAINCODE_TLS_CERT"),
        ({**ADDRESS, "CHAINCODE_TLS_DISABLED": "maybe"}, "CHAINCODE_TLS_DISABLED"),
        ({**ADDRESS, "CORE_PEER_TLS_ENABLED": "true"}, "CORE_TLS_CLIENT_CERT_FILE"),
        (
            {**ADDRESS, "CHAINCODE_TLS_DISABLED": "false", "CHAINCODE_TLS_CERT": "/nowhere.pem"},
            "CHAINCODE_TLS_CERT",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(environment, setting):
    with pytest.raises(SettingsError) as caught:
        ServerSettings.from_environment(environment)
    assert caught.value.setting == setting


def test_tls_files_are_read_and_the_key_is_not_shown(tmp_path):
    for name in ("cert", "key", "ca"):
        (tmp_path / name).write_text(f"pem of {name}")
    environment = {
        **ADDRESS,
        "CHAINCODE_TLS_DISABLED": "false",
        "CHAINCODE_TLS_CERT": str(tmp_path / "cert"),
        "CHAINCODE_TLS_KEY": str(tmp_path / "key"),
    }
    tls = ServerSettings.from_environment(environment).tls
    assert tls is not None
    assert (tls.certificate, tls.private_key, tls.client_roots) == (
        b"pem of cert",
        b"pem of key",
        None,
    )
    mutual = {**environment, "CHAINCODE_CLIENT_CA_CERT": str(tmp_path / "ca")}
    settings = ServerSettings.from_environment(mutual)
    assert settings.tls is not None
    assert settings.tls.client_roots == b"pem of ca"
    assert "pem of key" not in repr(settings)
    disabled = {**environment, "CHAINCODE_TLS_DISABLED": "true", "CORE_PEER_TLS_ENABLED": "true"}
    assert ServerSettings.from_environment(disabled).tls is None
