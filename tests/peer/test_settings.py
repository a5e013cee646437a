"""core.yaml and the variables over it."""

from datetime import timedelta
from pathlib import Path

import pytest

from gridloom.peer.settings import (
    ConcurrencySettings,
    DiscoverySettings,
    InvalidSetting,
    PeerSettings,
    PrivateDataSettings,
    load_settings,
    private_data_settings,
)

CORE = """
peer:
  id: jdoe
  address: peer0.org1.example.com:7051
  listenAddress: 0.0.0.0:7051
  localMspId: Org1MSP
  mspConfigPath: msp
  fileSystemPath: /var/ledgers
  authentication:
    timewindow: 10m
  deliveryclient:
    reConnectBackoffThreshold: 3600s
  gateway:
    enabled: true
    endorsementTimeout: 20s
  tls:
    enabled: true
    clientAuthRequired: false
    cert: {file: tls/server.crt}
    key: {file: tls/server.key}
    rootcert: {file: tls/ca.crt}
    clientRootCAs: {files: [tls/ca.crt, other.crt]}
  limits:
    concurrency: {endorserService: 3, gatewayService: 0}
  gossip:
    whatever: [1, 2]
    pvtData:
      pullRetryThreshold: 5s
      reconcileSleepInterval: 2m
      reconcileBatchSize: 7
      implicitCollectionDisseminationPolicy: {requiredPeerCount: 1, maxPeerCount: 2}
chaincode:
  executetimeout: 45s
ledger:
  state:
    totalQueryLimit: 500
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "core.yaml").write_text(CORE)
    return tmp_path


def test_the_file_is_read_and_paths_start_in_its_folder(folder):
    settings = load_settings(folder, {})
    assert (settings.peer_id, settings.msp_id) == ("jdoe", "Org1MSP")
    assert settings.msp_dir == folder / "msp"
    assert settings.data_dir == Path("/var/ledgers")
    assert settings.snapshots_dir == Path("/var/ledgers/snapshots")
    assert settings.time_window == timedelta(minutes=10)
    assert settings.reconnect_limit == timedelta(hours=1)
    assert settings.execute_timeout == timedelta(seconds=45)
    assert settings.query_limit == 500
    assert settings.concurrency == ConcurrencySettings(endorser=3, deliver=2500, gateway=0)
    assert settings.gateway.endorsement_timeout == timedelta(seconds=20)
    assert settings.gateway.broadcast_timeout == timedelta(seconds=30)
    assert settings.tls is not None
    assert settings.tls.certificate == folder / "tls/server.crt"
    assert settings.tls.client_roots == ()


def test_variables_win(folder):
    settings = load_settings(
        folder,
        {
            "CORE_PEER_ADDRESS": "elsewhere:1",
            "CORE_PEER_LOCALMSPID": "Org2MSP",
            "CORE_PEER_MSPCONFIGPATH": "/etc/msp",
            "CORE_LEDGER_SNAPSHOTS_ROOTDIR": "/srv/snapshots",
            "CORE_PEER_TLS_CLIENTAUTHREQUIRED": "true",
            "CORE_PEER_TLS_CLIENTROOTCAS_FILES": "a.crt b.crt",
            "CORE_LEDGER_STATE_TOTALQUERYLIMIT": "7",
        },
    )
    assert (settings.address, settings.msp_id) == ("elsewhere:1", "Org2MSP")
    assert settings.msp_dir == Path("/etc/msp")
    assert settings.snapshots_dir == Path("/srv/snapshots")
    assert settings.query_limit == 7
    assert settings.tls is not None
    assert settings.tls.client_roots == (folder / "a.crt", folder / "b.crt")


def test_tls_can_be_switched_off(folder):
    assert load_settings(folder, {"CORE_PEER_TLS_ENABLED": "false"}).tls is None


def test_what_is_not_said_has_its_default(tmp_path):
    (tmp_path / "core.yaml").write_text("peer:\n  id:\n")
    assert load_settings(tmp_path, {}) == PeerSettings()


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"CORE_PEER_AUTHENTICATION_TIMEWINDOW": "soon"}, "peer.authentication.timewindow"),
        ({"CORE_PEER_TLS_ENABLED": "maybe"}, "peer.tls.enabled"),
        ({"CORE_LEDGER_STATE_TOTALQUERYLIMIT": "many"}, "ledger.state.totalQueryLimit"),
    ],
)
def test_an_unusable_value_is_named_by_its_key(folder, variables, key):
    with pytest.raises(InvalidSetting) as invalid:
        load_settings(folder, variables)
    assert invalid.value.key == key


@pytest.mark.parametrize("text", ["[1, 2]", "peer: [", "\x00"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    (tmp_path / "core.yaml").write_text(text)
    with pytest.raises(InvalidSetting, match=r"core\.yaml"):
        load_settings(tmp_path, {})


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidSetting, match="cannot be read"):
        load_settings(tmp_path, {})


def test_a_list_where_one_value_belongs_is_refused(tmp_path):
    (tmp_path / "core.yaml").write_text("peer:\n  id: [a, b]\n")
    with pytest.raises(InvalidSetting, match="single value"):
        load_settings(tmp_path, {})


def test_discovery_can_be_switched_off_or_opened(tmp_path):
    (tmp_path / "core.yaml").write_text("peer: {discovery: {enabled: false}}")
    settings = load_settings(tmp_path, {"CORE_PEER_DISCOVERY_ORGMEMBERSALLOWEDACCESS": "true"})
    assert settings.discovery == DiscoverySettings(enabled=False, org_members_allowed=True)


def test_private_data_have_settings_of_their_own(folder):
    assert load_settings(folder, {}).private_data == PrivateDataSettings(
        pull_retry_threshold=timedelta(seconds=5),
        reconcile_interval=timedelta(minutes=2),
        reconcile_batch=7,
        own_required=1,
        own_maximum=2,
    )


def test_private_data_are_treated_as_the_sample_configuration_says_by_default():
    defaults = private_data_settings({})
    assert defaults == PrivateDataSettings()
    assert defaults.pull_retry_threshold == timedelta(seconds=60)
    assert defaults.push_ack_timeout == timedelta(seconds=3)
    assert (defaults.transient_retention, defaults.btl_pull_margin) == (20_000, 10)
    assert (defaults.reconcile_interval, defaults.reconcile_batch) == (timedelta(minutes=1), 10)
    assert defaults.unavailable_interval == timedelta(hours=1)
    assert (defaults.own_required, defaults.own_maximum) == (0, 1)


def test_private_data_settings_may_stand_in_variables_alone():
    settings = private_data_settings(
        {
            "CORE_PEER_GOSSIP_PVTDATA_RECONCILIATIONENABLED": "false",
            "CORE_PEER_GOSSIP_PVTDATA_TRANSIENTSTOREMAXBLOCKRETENTION": "50",
            "CORE_PEER_GOSSIP_PVTDATA_SKIPPULLINGINVALIDTRANSACTIONSDURINGCOMMIT": "true",
            "CORE_LEDGER_PVTDATASTORE_DEPRIORITIZEDDATARECONCILERINTERVAL": "3m",
        }
    )
    assert (settings.reconcile, settings.transient_retention) == (False, 50)
    assert settings.skip_pulling_invalid
    assert settings.unavailable_interval == timedelta(minutes=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PEER_GOSSIP_PVTDATA_RECONCILEBATCHSIZE", "0"),
        ("PEER_GOSSIP_PVTDATA_TRANSIENTSTOREMAXBLOCKRETENTION", "-1"),
        ("PEER_GOSSIP_PVTDATA_PULLRETRYTHRESHOLD", "soon"),
        ("PEER_GOSSIP_PVTDATA_IMPLICITCOLLECTIONDISSEMINATIONPOLICY_REQUIREDPEERCOUNT", "2"),
        ("PEER_GOSSIP_PVTDATA_IMPLICITCOLLECTIONDISSEMINATIONPOLICY_REQUIREDPEERCOUNT", "-1"),
    ],
)
def test_private_data_settings_that_make_no_sense_are_refused(name, value):
    with pytest.raises(InvalidSetting, match="pvtData"):
        private_data_settings({f"CORE_{name}": value})
