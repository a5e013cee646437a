"""The network description: defaults, references, ports, and faults named by their path."""

from datetime import timedelta
from pathlib import Path

import pytest

from gridloom.deploy.document import DocumentError
from gridloom.deploy.topology import ChannelSpec, Cutting, Topology
from gridloom.peer.ledger.state_database import StateDatabase

EXAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "examples"


def test_an_empty_document_is_the_test_network():
    topology = Topology.parse("")
    assert topology == Topology.default() == Topology.parse("# nothing\n") == Topology.parse("{}")
    assert [(org.name, org.msp_id, org.group, org.domain) for org in topology.organizations] == [
        ("Org1", "Org1MSP", "Org1MSP", "org1.example.com"),
        ("Org2", "Org2MSP", "Org2MSP", "org2.example.com"),
    ]
    assert [(peer.name, peer.endpoint) for peer in topology.peers()] == [
        ("peer0.org1.example.com", "127.0.0.1:7051"),
        ("peer0.org2.example.com", "127.0.0.1:9051"),
    ]
    assert [(node.name, node.port) for node in topology.orderers()] == [
        ("orderer.example.com", 7050)
    ]
    assert topology.orderer_organizations[0].group == "OrdererOrg"
    assert [user.name for user in topology.organizations[0].users] == ["Admin", "User1"]
    assert [user.name for user in topology.orderer_organizations[0].users] == ["Admin"]
    channel = topology.channel("mychannel")
    assert channel.members == ("Org1", "Org2")
    assert channel.orderers == ("orderer.example.com",)
    assert channel.endorsement == "MAJORITY Endorsement"
    assert (channel.batch.max_message_count, channel.batch.absolute_max_bytes) == (10, 103809024)
    assert (channel.batch.preferred_max_bytes, channel.batch.timeout) == (
        524288,
        timedelta(seconds=2),
    )
    assert (topology.tls, topology.consensus, topology.cutting) == (True, "solo", Cutting.IDLE)


def test_the_example_shows_every_key_and_reads():
    topology = Topology.load(EXAMPLES / "consortium.yaml")
    assert [org.name for org in topology.members(topology.channel("grid"))] == [
        "Operator",
        "Utility",
    ]
    prosumers = topology.organization("ProsumersMSP")
    assert [peer.port for peer in prosumers.peers] == [9051, 10051]
    assert [peer.anchor for peer in prosumers.peers] == [True, False]
    assert prosumers.users[1].attributes == {"trader": "true"}
    assert [user.name for user in topology.organization("Utility").users] == [
        "Admin",
        "User1",
        "User2",
    ]


def test_users_carry_attributes_and_admin_may_too():
    text = "organizations: [{name: A, users: [bob, {name: Admin, attributes: {level: 3}}]}]"
    users = Topology.parse(text).organizations[0].users
    assert [(user.name, user.role, dict(user.attributes)) for user in users] == [
        ("Admin", "admin", {"level": "3"}),
        ("bob", "client", {}),
    ]


def test_default_ports_follow_the_base_and_stated_ports_do_not():
    text = "{port_base: 20000, organizations: [{name: A, peers: [{port: 81}, {}]}, {name: B}]}"
    topology = Topology.parse(text)
    assert [peer.port for peer in topology.peers()] == [81, 21001, 22001]
    assert topology.orderers()[0].port == 20000


def test_many_peers_still_get_distinct_ports():
    orgs = ", ".join(f"{{name: Org{number}, peers: 5}}" for number in range(1, 41))
    ports = [peer.port for peer in Topology.parse(f"organizations: [{orgs}]").peers()]
    assert len(set(ports)) == 200
    assert max(ports) < 65536


def test_shifting_moves_every_port_but_the_free_ones():
    text = "organizations: [{name: A, peers: [{port: 0}, {port: 8080}]}]"
    shifted = Topology.parse(text).shifted(17050)
    assert [peer.port for peer in shifted.peers()] == [0, 18080]
    assert shifted.orderers()[0].port == 17050
    with pytest.raises(ValueError, match="moves port 8080 to 66030"):
        Topology.parse(text).shifted(65000)


def test_orderers_have_an_admin_port_where_the_samples_have_it():
    assert Topology.default().orderers()[0].admin_endpoint == "127.0.0.1:7053"
    text = (
        "orderer_organizations: [{name: O, orderers: [{}, {port: 0}, {port: 81}, {admin_port: 5}]}]"
    )
    nodes = Topology.parse(text).orderers()
    assert [node.admin_port for node in nodes] == [7053, 0, 84, 5]
    shifted = Topology.default().shifted(17050)
    assert shifted.ports() == (17050, 17051, 19051, 17053, 19054, 17054, 18054)


def test_an_admin_port_gives_way_to_the_ports_that_are_stated():
    text = "organizations: [{name: A, peers: [{port: 7053}]}]"
    assert Topology.parse(text).orderers()[0].admin_port == 0
    text = "orderer_organizations: [{name: O, orderers: [{port: 65534}, {port: 10}, {port: 13}]}]"
    assert [node.admin_port for node in Topology.parse(text).orderers()] == [0, 0, 16]


def test_every_organization_has_a_ca_where_the_samples_have_it():
    def endpoints(topology):
        return {node.name: node.endpoint for node in topology.authorities()}

    assert endpoints(Topology.default()) == {
        "ca-orderer": "127.0.0.1:9054",
        "ca-org1": "127.0.0.1:7054",
        "ca-org2": "127.0.0.1:8054",
    }
    text = "organizations: [{name: Org1}, {name: Org2}, {name: Org3}, {name: Org4}]"
    assert endpoints(Topology.parse(text))["ca-org3"] == "127.0.0.1:11054"
    text = "orderer_organizations: [{name: O}, {name: P, orderers: 0}, {name: Q, orderers: 0}]"
    ports = [node.port for node in Topology.parse(text).authorities()]
    assert ports == [9054, 10054, 13054, 7054, 8054]


def test_a_ca_is_where_it_is_said_to_be_or_gives_way():
    text = """
organizations:
  - {name: A, ca: {name: root, host: 10.0.0.1, port: 80}}
  - {name: B, peers: [{port: 8054}]}
"""
    topology = Topology.parse(text)
    stated, other = (org.authority for org in topology.organizations)
    assert (stated.name, stated.endpoint) == ("root", "10.0.0.1:80")
    assert (other.name, other.port) == ("ca-b", 0)


def test_channels_can_be_added_and_get_other_members():
    topology = Topology.parse(
        "channels: [{name: one, members: [Org1], endorsement: ALL Endorsement}]"
    )
    changed = topology.with_channels(
        [ChannelSpec("one", ("Org1", "Org2"), ("x",)), ChannelSpec("two", ("Org2",), ("x",))]
    )
    assert [channel.name for channel in changed.channels] == ["one", "two"]
    assert changed.channel("one").members == ("Org1", "Org2")
    assert changed.channel("one").endorsement == "ALL Endorsement"


def test_ports_can_be_replaced_one_by_one():
    free = iter(range(40000, 40010))
    topology = Topology.default().with_ports(lambda _: next(free))
    assert [node.port for node in (*topology.orderers(), *topology.peers())] == [
        40000,
        40001,
        40002,
    ]


FAULTS = [
    ("organizations: [{name: A, peers: [{prot: 1}]}]", "organizations[0].peers[0].prot", "'port'"),
    ("chanels: []", "chanels", "did you mean 'channels'?"),
    ("channels: [{name: c, batch: {MaxMessageCount: 3}}]", "", "did you mean 'max_message_count'?"),
    ("zzz: 1", "zzz", "valid: port_base"),
    ("organizations: []", "organizations", "at least one is needed"),
    ("organizations: [{}]", "organizations[0].name", "is required"),
    ("organizations: [{name: no}]", "organizations[0].name", "expected text, found False"),
    ("organizations: [{name: ../x}]", "organizations[0].name", "form"),
    ("organizations: [{name: A, domain: a..b}]", "organizations[0].domain", "form"),
    ("organizations: [{name: A}, {name: A}]", "organizations[1].name", "organizations[0].name"),
    ("organizations: [{name: A, msp_id: OrdererMSP}]", "organizations[0].msp_id", "already"),
    ("organizations: [{name: A, peers: two}]", "organizations[0].peers", "a count or a list"),
    ("organizations: [{name: A, peers: [{port: 70000}]}]", "", "70000 is not in 0..65535"),
    ("organizations: [{name: A, peers: [{port: true}]}]", "", "expected a whole number"),
    ("organizations: [{name: A, peers: [{port: 7050}]}]", "", "'127.0.0.1:7050' stands already"),
    (
        "orderer_organizations: [{name: O, orderers: [{admin_port: 7051}]}]",
        "orderer_organizations[0].orderers[0].admin_port",
        "stands already at organizations[0].peers[0].port",
    ),
    ("orderer_organizations: [{name: O, orderers: [{admin_port: -2}]}]", "", "not in 0..65535"),
    ("organizations: [{name: A, ca: {prot: 1}}]", "organizations[0].ca.prot", "unknown"),
    ("organizations: [{name: A, ca: {port: 7051}}]", "organizations[0].ca.port", "endpoint"),
    ("organizations: [{name: A, ca: {name: ca-b}}, {name: B}]", "organizations[1].ca.name", "CA"),
    ("organizations: [{name: A, peers: [p, p]}]", "organizations[0].peers[1].name", "already"),
    ("organizations: [{name: A, users: [a, a]}]", "organizations[0].users[1]", "already"),
    ("organizations: [{name: A, users: [a/b]}]", "organizations[0].users[0].name", "form"),
    ("organizations: [{name: A, users: [{name: Admin, role: client}]}]", "", "always an admin"),
    ("orderer_organizations: [{name: O, orderers: 0}]", "orderer_organizations", "one orderer"),
    ("channels: [{name: My}]", "channels[0].name", "form"),
    ("channels: [{name: a}, {name: a}]", "channels[1]", "channel 'a' stands already"),
    ("channels: [{name: a, members: [Org3]}]", "channels[0].members[0]", "did you mean 'Org"),
    ("channels: [{name: a, members: []}]", "channels[0].members", "at least one"),
    ("channels: [{name: a, members: [Org1, Org1MSP]}]", "channels[0].members[1]", "already"),
    ("channels: [{name: a, batch: {timeout: 2}}]", "channels[0].batch.timeout", "expected text"),
    ("channels: [{name: a, batch: {timeout: 2 sec}}]", "channels[0].batch.timeout", "invalid"),
    ("channels: [{name: a, batch: {timeout: -1s}}]", "channels[0].batch.timeout", "positive"),
    ("channels: [{name: a, batch: {preferred_max_bytes: 1 GB}}]", "", "larger than absolute"),
    ("channels: [{name: a, batch: {absolute_max_bytes: 9 parsecs}}]", "", "such as 512 KB"),
    ("channels: [{name: a, capabilities: {application: V1_4}}]", "", "V2_0, V2_5"),
    ("channels: [{name: a, endorsement: SOME Endorsement}]", "channels[0].endorsement", "token"),
    ("channels: [{name: a, endorsement: \"OR('Org1Msp.peer')\"}]", "", "did you mean 'Org1MSP'?"),
    (
        "channels: [{name: a, policies: {application: {Admins: \"OR('X.admin')\"}}}]",
        "channels[0].policies.application.Admins",
        "no organization has the MSP id 'X'",
    ),
    ("channels: [{name: a, policies: {aplication: {}}}]", "channels[0].policies.aplication", "app"),
    (
        "organizations: [{name: A, policies: {Readers: ANY}}]",
        "organizations[0].policies.Readers",
        "two space separated tokens",
    ),
    ("organizations: [{name: A, policies: {Readers: }}]", "", "is required"),
    ("cutting: idel", "cutting", "did you mean 'idle'?"),
    ("consensus: kafka", "consensus", "'kafka' is not one of solo"),
    ("consensus: raft\ntls: false", "tls", "know each other by their TLS certificates"),
    (
        "consensus: raft\nraft: {election_tick: 2, heartbeat_tick: 2}",
        "raft.election_tick",
        "greater",
    ),
    ("tls: yes please", "tls", "expected true or false"),
    ("[]", "", "expected a mapping, found a list"),
    ("{1: 2}", "", "expected text as key"),
    ("tls: true\ntls: false", "line 2", "twice"),
    ("a: [", "", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "path", "reason"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_is_told_with_its_path(text, path, reason):
    with pytest.raises(DocumentError) as caught:
        Topology.parse(text)
    assert reason in str(caught.value)
    if path:
        assert caught.value.path == path


def test_the_state_database_is_named_as_in_fabric_or_in_small_letters():
    named = {name: Topology.parse(f"state_database: {name}") for name in ("CouchDB", "couchdb")}
    assert {topology.state_database for topology in named.values()} == {StateDatabase.COUCHDB}
    assert Topology.default().state_database is StateDatabase.LEVELDB
    with pytest.raises(DocumentError, match=r"state_database.*'mongo' is not one of goleveldb"):
        Topology.parse("state_database: mongo")
