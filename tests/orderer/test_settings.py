"""orderer.yaml and ORDERER_*."""

from datetime import timedelta
from pathlib import Path

import pytest

from gridloom.common.settings import InvalidSetting
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.settings import (
    AdminSettings,
    ClusterSettings,
    OrdererSettings,
    TlsSettings,
    load_settings,
)

YAML = """
General:
  ListenAddress: 127.0.0.1
  ListenPort: 7050
  LocalMSPDir: msp
  LocalMSPID: OrdererMSP
  TLS:
    Enabled: true
    PrivateKey: tls/server.key
    Certificate: tls/server.crt
    RootCAs:
      - tls/ca.crt
    ClientAuthRequired: false
  Authentication:
    TimeWindow: 10m
FileLedger:
  Location: /data
Unknown: ignored
"""


def load(folder: Path, text: str = YAML, **environment: str) -> OrdererSettings:
    (folder / "orderer.yaml").write_text(text)
    return load_settings(folder, environment)


def test_fabrics_document_is_understood(tmp_path) -> None:
    tls = TlsSettings(
        tmp_path / "tls/server.crt", tmp_path / "tls/server.key", (tmp_path / "tls/ca.crt",)
    )
    assert load(tmp_path) == OrdererSettings(
        listen_address="127.0.0.1:7050",
        tls=tls,
        local_msp_dir=tmp_path / "msp",
        local_msp_id="OrdererMSP",
        location=Path("/data"),
        time_window=timedelta(minutes=10),
        cluster=ClusterSettings(tls=tls, wal_dir=Path("/data/etcdraft/wal")),
    )


def test_an_empty_document_gives_the_defaults(tmp_path) -> None:
    assert load(tmp_path, "{}") == OrdererSettings(local_msp_dir=tmp_path / "msp")


def test_the_variables_of_the_test_network_override_it(tmp_path) -> None:
    settings = load(
        tmp_path,
        ORDERER_GENERAL_LISTENADDRESS="0.0.0.0",
        ORDERER_GENERAL_LISTENPORT="7150",
        ORDERER_GENERAL_LOCALMSPDIR="/var/hyperledger/orderer/msp",
        ORDERER_GENERAL_TLS_ROOTCAS="[/tls/a.crt, /tls/b.crt]",
        ORDERER_GENERAL_TLS_CLIENTAUTHREQUIRED="true",
        ORDERER_GENERAL_TLS_CLIENTROOTCAS="[/tls/clients.crt]",
        ORDERER_GENERAL_AUTHENTICATION_NOEXPIRATIONCHECKS="true",
        ORDERER_GENERAL_CUTTING="idle",
    )
    assert settings.listen_address == "0.0.0.0:7150"
    assert settings.local_msp_dir == Path("/var/hyperledger/orderer/msp")
    assert settings.tls is not None
    assert settings.tls.root_cas == (Path("/tls/a.crt"), Path("/tls/b.crt"))
    assert settings.tls.client_root_cas == (Path("/tls/clients.crt"),)
    assert not settings.check_expiration
    assert settings.cutting is CuttingMode.IDLE


@pytest.mark.parametrize(
    ("key", "variable", "value"),
    [
        ("General.ListenPort", "GENERAL_LISTENPORT", "many"),
        ("General.ListenPort", "GENERAL_LISTENPORT", "70000"),
        ("General.TLS.Enabled", "GENERAL_TLS_ENABLED", "perhaps"),
        ("General.Authentication.TimeWindow", "GENERAL_AUTHENTICATION_TIMEWINDOW", "15"),
        ("General.Cutting", "GENERAL_CUTTING", "sometimes"),
        ("General.TLS.PrivateKey", "GENERAL_TLS_PRIVATEKEY", ""),
        ("General.TLS.ClientRootCAs", "GENERAL_TLS_CLIENTAUTHREQUIRED", "true"),
    ],
)
def test_a_value_that_will_not_do_is_named_by_its_key(tmp_path, key, variable, value) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load(tmp_path, **{f"ORDERER_{variable}": value})
    assert caught.value.key == key


@pytest.mark.parametrize("text", ["- a list", "General: [", "General:\n  ListenPort: [1]"])
def test_a_document_that_will_not_do_is_an_error(tmp_path, text) -> None:
    with pytest.raises(InvalidSetting):
        load(tmp_path, text)


def test_a_missing_document_is_an_error(tmp_path) -> None:
    with pytest.raises(InvalidSetting, match=r"orderer\.yaml"):
        load_settings(tmp_path, {})


ADMIN = """
Admin:
  ListenAddress: 0.0.0.0:7053
  TLS: {Enabled: true, Certificate: tls/server.crt, PrivateKey: tls/server.key,
        ClientRootCAs: [tls/ca.crt]}
ChannelParticipation: {Enabled: false, MaxRequestBodySize: 2 MB}
"""


def test_the_admin_port_is_for_administrators_with_certificates(tmp_path) -> None:
    assert load(tmp_path, ADMIN).admin == AdminSettings(
        listen_address="0.0.0.0:7053",
        tls=TlsSettings(
            tmp_path / "tls/server.crt",
            tmp_path / "tls/server.key",
            client_root_cas=(tmp_path / "tls/ca.crt",),
        ),
        participation=False,
        max_request_body=2 * 1024**2,
    )
    variables = {
        "ORDERER_ADMIN_LISTENADDRESS": "127.0.0.1:9000",
        "ORDERER_CHANNELPARTICIPATION_ENABLED": "true",
        "ORDERER_CHANNELPARTICIPATION_MAXREQUESTBODYSIZE": "500",
        "ORDERER_ADMIN_TLS_ENABLED": "false",
    }
    assert load(tmp_path, ADMIN, **variables).admin == AdminSettings(
        "127.0.0.1:9000", max_request_body=500
    )


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED": "false"}, "Admin.TLS.ClientAuthRequired"),
        ({"ORDERER_ADMIN_TLS_CLIENTROOTCAS": "[]"}, "Admin.TLS.ClientRootCAs"),
        ({"ORDERER_ADMIN_LISTENADDRESS": "7053"}, "Admin.ListenAddress"),
        ({"ORDERER_ADMIN_LISTENADDRESS": "host:99999"}, "Admin.ListenAddress"),
        (
            {"ORDERER_CHANNELPARTICIPATION_MAXREQUESTBODYSIZE": "huge"},
            "ChannelParticipation.MaxRequestBodySize",
        ),
    ],
)
def test_a_fault_of_the_admin_port_is_named(tmp_path, variables, key) -> None:
    with pytest.raises(InvalidSetting) as caught:
        load(tmp_path, ADMIN, **variables)
    assert caught.value.key == key
