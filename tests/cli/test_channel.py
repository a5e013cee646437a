"""gridloom channel and channel config on a running network."""

import json

import pytest

from gridloom.client.admin.config_update import signers_of
from gridloom.client.admin.participation import AdminUnreachable, OrdererAdmin
from gridloom.protos.common.common_pb2 import Block, Envelope
from harness.network import NetworkProcess
from harness.shared import shared

pytestmark = pytest.mark.network

DESCRIPTION = """
organizations: [{name: Org1}, {name: Org2}, {name: Org3}]
channels: [{name: mychannel, members: [Org1, Org2]}]
"""
PEERS = [f"peer0.org{number}.example.com" for number in (1, 2, 3)]
TIMEOUT = "channel_group.groups.Orderer.values.BatchTimeout.value.timeout"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channel")
    description = folder / "network.yaml"
    description.write_text(DESCRIPTION)
    with NetworkProcess(folder / "home", "--config", str(description)) as network:
        yield network


@pytest.fixture
def on_network(run, network):
    return lambda line: run(line, network.home.path)


def configuration(on_network) -> dict:
    shown = on_network("channel config fetch --json")
    assert shown.status == 0, shown
    return json.loads(shown.out)


def timeout_of(tree: dict) -> str:
    orderer = tree["channel_group"]["groups"]["Orderer"]
    return orderer["values"]["BatchTimeout"]["value"]["timeout"]


def test_channels_are_listed_and_shown(on_network):
    listed = on_network("channel list")
    assert "orderer.example.com: mychannel" in listed.out
    assert f"{PEERS[0]}: mychannel" in listed.out
    shown = on_network("channel info")
    assert "orderer.example.com: height " in shown.out
    assert f"{PEERS[1]}: height " in shown.out


def test_a_node_that_does_not_answer_is_named_and_the_others_shown(on_network, monkeypatch):
    async def unreachable(*_):
        raise AdminUnreachable("orderer:7053", "connection refused")

    monkeypatch.setattr(OrdererAdmin, "channel", unreachable)
    monkeypatch.setattr(OrdererAdmin, "channels", unreachable)
    for command in ("channel info", "channel list"):
        shown = on_network(command)
        assert "orderer.example.com: no answer from the orderer's admin port at" in shown.out
        assert all(f"{peer}: " in shown.out for peer in PEERS[:2])


def test_blocks_are_written(on_network, tmp_path):
    for name in ("newest", "oldest", "config", "0"):
        written = on_network(f"channel fetch {name} block.pb")
        assert written.status == 0, written
        assert Block.FromString((tmp_path / "block.pb").read_bytes()).data.data
    refused = on_network("channel fetch latest block.pb")
    assert (refused.status, "'latest' is none of newest" in refused.err) == (2, True)
    assert on_network("channel fetch 4000 block.pb").status == 1


def test_a_batch_change_is_in_force_when_the_command_ends(on_network):
    changed = on_network("channel config batch --timeout 700ms --max-messages 7")
    assert changed.out.startswith("the change is in force on channel mychannel: peer0.org1"), (
        changed
    )
    tree = configuration(on_network)
    assert timeout_of(tree) == "700ms"
    again = on_network("channel config batch --timeout 700ms")
    assert (again.status, "no differences" in again.err) == (1, True)
    wrong = on_network("channel config batch --preferred-max 2GB")
    assert (wrong.status, "greater than the absolute max bytes" in wrong.err) == (1, True)
    assert on_network("channel config batch --absolute-max huge").status == 1


def test_an_update_goes_from_one_organisation_to_the_next(on_network, tmp_path):
    line = "channel config acl qscc/GetChainInfo=/Channel/Application/Readers"
    written = on_network(f"{line} --output update.pb")
    assert written.status == 0
    assert on_network("channel config decode update.pb").out.startswith("{")
    refused = on_network("channel config update update.pb --org Org1")
    assert refused.status == 1
    assert "2 of the 'Admins' sub-policies" in refused.err
    assert "Org2MSP/Admins: 'Org2MSP.admin'" in refused.err
    assert "signed so far by: Org1MSP" in refused.err
    signed = on_network("channel config sign update.pb --org Org2")
    assert "signed by Org2MSP" in signed.err
    envelope = Envelope.FromString((tmp_path / "update.pb").read_bytes())
    assert signers_of(envelope) == ["Org2MSP"]
    assert on_network("channel config update update.pb --org Org1").status == 0
    assert on_network("channel config acl qscc/GetChainInfo=").status == 0


def test_the_owner_of_an_msp_folder_can_sign(on_network, network):
    on_network("channel config batch --timeout 3s --output update.pb")
    folder = network.home.organizations / "ordererOrganizations/example.com/users"
    msp = folder / "Admin@example.com" / "msp"
    assert on_network(f"channel config sign update.pb --msp {msp}").status == 2
    signed = on_network(f"channel config sign update.pb --msp {msp} --msp-id OrdererMSP")
    assert "signed by OrdererMSP" in signed.err
    assert on_network("channel config update update.pb").status == 0
    assert timeout_of(configuration(on_network)) == "3s"


def test_any_place_can_be_set(on_network):
    assert on_network(f"channel config edit --set {TIMEOUT}=1500ms").status == 0
    assert timeout_of(configuration(on_network)) == "1500ms"
    wrong = on_network(f"channel config edit --set {TIMEOUT}x=1s")
    assert (wrong.status, "timeoutx: unknown field" in wrong.err) == (1, True)
    missing = on_network("channel config edit --delete channel_group.groups.Nothing")
    assert (missing.status, "there is no 'Nothing'" in missing.err) == (1, True)
    assert on_network("channel config edit --set timeout").status == 2


def test_the_configuration_can_be_edited_in_an_editor(on_network, monkeypatch):
    monkeypatch.setenv("VISUAL", "sed -i s/1500ms/1600ms/;s/1s/1s/")
    on_network(f"channel config edit --set {TIMEOUT}=1500ms")
    changed = on_network("channel config edit")
    assert changed.status == 0, changed
    assert timeout_of(configuration(on_network)) == "1600ms"
    monkeypatch.setenv("VISUAL", "true")
    assert "no differences" in on_network("channel config edit").err
    monkeypatch.setenv("VISUAL", "false")
    assert on_network("channel config edit").status == 2
    monkeypatch.setenv("VISUAL", "sed -i s/{/x/")
    assert "is not JSON" in on_network("channel config edit").err


def test_an_organisation_joins_its_peer_follows_and_it_leaves_again(on_network, network):
    added = on_network("channel config add-org Org3")
    assert added.status == 0, added
    joined = on_network("channel join mychannel --org Org3")
    assert joined.out == f"joined mychannel: {PEERS[2]}\n"
    assert on_network("channel join mychannel --org Org3").out == "joined mychannel: nobody new\n"
    assert f"{PEERS[2]}: mychannel" in on_network("channel list").out
    state = json.loads((network.home.path / "network.json").read_text())
    assert state["channels"][0]["members"] == ["Org1MSP", "Org2MSP", "Org3MSP"]
    port = network.home.topology().organization("Org3").peers[0].port
    anchored = on_network(f"channel config anchors Org3 127.0.0.1:{port} other.example.com:7051")
    assert anchored.status == 0, anchored
    assert on_network("channel config anchors Org3 nonsense").status == 2
    again = on_network("channel config add-org Org3")
    assert (again.status, "has an organization Org3MSP already" in again.err) == (1, True)
    left = on_network("channel config remove-org Org3")
    assert left.status == 0, left
    assert network.home.topology().channel("mychannel").members == ("Org1", "Org2")


def test_an_organisation_from_elsewhere_is_added_by_its_msp_or_definition(on_network, network):
    msp = network.home.organizations / "peerOrganizations/org3.example.com/msp"
    line = f"channel config add-org Elsewhere --msp {msp} --msp-id Org3MSP --output update.pb"
    assert on_network(line).status == 0
    tree = json.loads(on_network("channel config decode update.pb").out)
    update = tree["payload"]["data"]["config_update"]["write_set"]
    group = update["groups"]["Application"]["groups"]["Elsewhere"]
    with open("org3.json", "w") as file:
        json.dump(group, file)
    again = "channel config add-org Elsewhere --definition org3.json --output again.pb"
    assert on_network(again).status == 0
    assert on_network("channel config add-org Nowhere").status == 2


def test_a_user_is_revoked(on_network):
    assert on_network("channel config revoke Org2").status == 2
    assert on_network("channel config revoke Org2 --user Nobody").status == 1
    revoked = on_network("channel config revoke Org2 --user User1")
    assert revoked.status == 0, revoked
    assert on_network("blocks --org Org2 --user Admin").status == 0
    refused = on_network("blocks --org Org2 --user User1")
    assert (refused.status, refused.out) == (1, ""), refused


def test_a_channel_is_made_and_given_up(on_network, network):
    made = on_network("channel create second --member Org1 --member Org3")
    assert made.out == "channel second: Org1, Org3\n", made
    listed = on_network("channel list").out
    assert "orderer.example.com: mychannel, second" in listed
    assert f"{PEERS[1]}: mychannel\n" in listed
    assert on_network("channel info --channel second").out.count("height 1") == 3
    again = on_network("channel create second")
    assert (again.status, "channel already exists" in again.err) == (1, True)
    assert on_network("channel create Second").status == 1
    gone = on_network("channel remove second")
    assert gone.out == "the orderers have given up second\n"
    assert "orderer.example.com: mychannel\n" in on_network("channel list").out


def test_a_first_block_can_be_made_for_other_tools(on_network, tmp_path):
    (tmp_path / "part.yaml").write_text("{endorsement: ANY Endorsement, batch: {timeout: 5s}}")
    written = on_network("channel create third --config part.yaml --output third.block")
    assert written.status == 0, written
    tree = json.loads(on_network("channel config decode third.block").out)
    config = tree["data"]["data"][0]["payload"]["data"]["config"]
    assert timeout_of(config) == "5s"
    assert "third" not in on_network("channel list").out


def test_after_a_restart_all_is_as_it_was_left(on_network, network):
    network.stop()
    network.start()
    listed = on_network("channel list").out
    assert "orderer.example.com: mychannel\n" in listed
    assert f"{PEERS[0]}: mychannel, second" in listed
    assert timeout_of(configuration(on_network)) == "1600ms"


# --- without any network ----------------------------------------------------------------


def test_files_are_turned_into_json_and_back(run, tmp_path):
    golden = shared("golden", "config")
    decoded = run(f"channel config decode {golden / 'config.pb'}")
    assert json.loads(decoded.out) == json.loads((golden / "config.json").read_text())
    blocks = shared("golden", "blocks")
    block = run(f"channel config decode {blocks / 'peer' / '050.pb'} --type block")
    assert block.out == (blocks / "json" / "050.json").read_text()
    encoded = run(f"channel config encode {golden / 'config_update.json'} --output u.pb")
    assert encoded.status == 0
    assert (tmp_path / "u.pb").read_bytes() == (golden / "config_update.pb").read_bytes()
    unknown = run(f"channel config decode {golden / 'config.pb'} --type nonsense")
    assert (unknown.status, "there is no message 'nonsense'" in unknown.err) == (1, True)
    (tmp_path / "bad.json").write_text("{")
    assert run("channel config encode bad.json").status == 2
    assert run("channel config decode bad.json").status == 1


def test_an_update_is_computed_as_recorded(run, tmp_path):
    golden = shared("golden", "config")
    for before in ("config.json", "config.pb", "genesis.block"):
        files = f"{golden / before} {golden / 'modified_config.pb'}"
        line = f"channel config compute {files} --channel golden1 --output u.pb"
        assert run(line).status == 0
        recorded = (golden / "config_update_in_envelope.pb").read_bytes()
        assert (tmp_path / "u.pb").read_bytes() == recorded
        assert run(f"{line} --bare").status == 0
        assert (tmp_path / "u.pb").read_bytes() == (golden / "config_update.pb").read_bytes()
    same = f"{golden / 'config.pb'} {golden / 'config.pb'}"
    refused = run(f"channel config compute {same} --channel golden1 --output u.pb")
    assert (refused.status, "no differences detected" in refused.err) == (1, True)
    other = f"{golden / 'config_update.pb'} {golden / 'config.pb'}"
    assert run(f"channel config compute {other} -C golden1 --output u.pb").status == 2
