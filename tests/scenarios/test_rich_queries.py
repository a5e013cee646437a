"""A network whose state database is CouchDB's kind, on every store: from package to page."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridloom.cli import app
from gridloom.client import EndorseError, GatewayError
from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network, choose_ports
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from harness.network import CHAINCODES, settled_height
from harness.postgres import postgres_server
from harness.private_network import collection

MARBLES = CHAINCODES / "marbles"
BY_OWNER = {"selector": {"docType": "marble"}, "sort": ["docType", "owner"]}


def description(store: str) -> str:
    text = "state_database: CouchDB\nport_base: 20000\n"
    return text + (
        f"ledger_url: {postgres_server().new_database()}\n" if store == "postgres" else ""
    )


def new_home(path: Path, text: str) -> NetworkHome:
    home = NetworkHome(path)
    home.save_description(text)
    home.save_state({"pid": None, "ports": list(choose_ports(Topology.parse(text)).ports())})
    return home


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def network(request, tmp_path):
    text = description(request.param)
    if request.param == "memory":
        network = Network.in_memory(Topology.parse(text))
    else:
        home = new_home(tmp_path / "home", text)
        network = Network.create(home.topology(), home, development=True)
    async with network:
        yield network


@pytest.fixture
async def marbles(network):
    package = package_source(MARBLES, label="marbles")
    collections = parse_collections(json.dumps([collection("secrets", 1, 2)]))
    definition = ChaincodeDefinition("marbles", collections=collections)
    channel = network.topology.channel("mychannel")
    await network.access.deploy_chaincode(package, definition, channel)
    contract = network.access.gateway("Org1").get_network("mychannel").get_contract("marbles")
    for number, owner in enumerate(["tom", "Eve", "Tom", "ann", "tom"]):
        document = {"size": number, "owner": owner, "docType": "marble", "price": 1.0}
        await contract.submit_transaction("put", f"m{number}", json.dumps(document))
    await contract.submit_transaction("put", "plain", "no document")
    await settled_height(network.access)  # both organisations are to find the same
    return contract


async def find(contract, query):
    return json.loads(await contract.evaluate_transaction("find", json.dumps(query)))


async def test_a_chaincode_finds_its_documents_by_the_index_of_its_package(marbles):
    found = await find(marbles, {"selector": {"owner": {"$in": ["tom", "ann"]}}})
    expected = '{"docType":"marble","owner":"tom","price":1,"size":0}'
    assert found[0] == ["m0", expected]
    assert await marbles.evaluate_transaction("get", "m0") == expected.encode()
    in_order = [key for key, _ in await find(marbles, BY_OWNER)]
    assert in_order == ["m3", "m1", "m0", "m4", "m2"]
    with pytest.raises(GatewayError, match="No index exists for this sort"):
        await find(marbles, {"selector": {}, "sort": ["size"]})
    with pytest.raises(GatewayError, match=r"GET_QUERY_RESULT failed: transaction ID: .*EOF"):
        await marbles.evaluate_transaction("find", "{")


async def test_pages_follow_one_another(marbles):
    pages, bookmark = [], ""
    for _ in range(4):
        arguments = (json.dumps(BY_OWNER), "2", bookmark)
        keys, bookmark, count = json.loads(await marbles.evaluate_transaction("page", *arguments))
        assert len(keys) == count
        pages.append(keys)
    assert pages == [["m3", "m1"], ["m0", "m4"], ["m2"], []]


async def test_a_result_that_changes_before_commit_invalidates_its_reader(marbles):
    toms = json.dumps({"selector": {"owner": "tom"}})
    assert await marbles.submit_transaction("paint_all", toms, "red") == b"2"
    assert await marbles.evaluate_transaction("get", "color of m4") == b"red"
    slow = marbles.new_proposal("paint_all", arguments=[toms, "blue"])
    transaction = await slow.endorse()
    await marbles.submit_transaction("put", "m0", "{}")
    commit = await transaction.submit()
    status = await commit.get_status()
    assert (status.successful, status.name) == (False, "MVCC_READ_CONFLICT")


async def test_a_collection_has_queries_and_an_index_of_its_own(marbles):
    for number in (2, 1, 3):
        value = json.dumps({"size": number}).encode()
        await marbles.submit("put_secret", [f"s{number}"], transient={"value": value})
    query = json.dumps({"selector": {"size": {"$gt": 1}}, "sort": [{"size": "desc"}]})
    assert json.loads(await marbles.evaluate_transaction("find_secrets", query)) == ["s3", "s2"]


async def test_what_couchdb_cannot_hold_is_not_endorsed(marbles):
    for key, value, reason in (
        ("_key", "v", "cannot begin with"),
        ("key", '{"_id":1}', "field [_id] is not valid for the CouchDB state database"),
    ):
        with pytest.raises(EndorseError) as refused:
            await marbles.submit_transaction("put", key, value)
        assert reason in refused.value.details[0].message


@pytest.mark.parametrize("network", ["sqlite", "postgres"], indirect=True)
async def test_the_command_explains_a_query_of_a_running_network(network, marbles):
    folder = str(network.builder.home.path)
    served = '{"selector":{"docType":"marble","owner":"tom"}}'
    result = CliRunner().invoke(app, ["ledger", "explain", "marbles", served, "--dir", folder])
    assert result.exit_code == 0, result.output
    assert "_design/indexOwnerDoc, indexOwner" in result.output
    assert "WHERE" in result.output
    assert "warning" not in result.output
    refused = '{"selector":{},"sort":["size"]}'
    peer = ["--peer", "peer0.org2.example.com", "--dir", folder]
    result = CliRunner().invoke(app, ["ledger", "explain", "marbles", "-", *peer], input=refused)
    assert result.exit_code == 1
    assert "No index exists for this sort" in result.output


async def test_a_network_goes_on_with_its_indexes(tmp_path):
    home = new_home(tmp_path / "home", description("sqlite"))
    async with Network.create(home.topology(), home) as network:
        package = package_source(MARBLES, label="marbles")
        channel = network.topology.channel("mychannel")
        await network.access.deploy_chaincode(package, ChaincodeDefinition("marbles"), channel)
    async with Network.create(home.topology(), home) as network:
        gateway = network.access.gateway("Org2")
        contract = gateway.get_network("mychannel").get_contract("marbles")
        value = '{"docType":"marble","owner":"b"}'
        await contract.submit_transaction("put", "m", value)
        assert [key for key, _ in await find(contract, BY_OWNER)] == ["m"]
