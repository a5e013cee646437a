"""The example chaincode answers as fabric-samples' asset-transfer-basic does."""

import json
from pathlib import Path

import pytest

from gridloom.chaincode import ChaincodeError
from gridloom.chaincode.loader import load_path
from gridloom.chaincode.testing import MemoryLedger

BASIC = Path(__file__).parents[3] / "deploy" / "examples" / "basic"


@pytest.fixture
def basic():
    deployed = MemoryLedger(check_determinism=True).deploy("basic", load_path(BASIC))
    deployed.submit("InitLedger")
    return deployed


def test_the_first_assets_are_those_of_the_sample_in_its_json(basic):
    assert len(basic.state) == 6
    assert basic.evaluate("ReadAsset", "asset1").text == (
        '{"AppraisedValue":300,"Color":"blue","ID":"asset1","Owner":"Tomoko","Size":5}'
    )
    everything = json.loads(basic.evaluate("GetAllAssets").payload)
    assert [asset["Owner"] for asset in everything] == [
        "Tomoko",
        "Brad",
        "Jin Soo",
        "Max",
        "Adriana",
        "Michel",
    ]


def test_an_asset_is_created_updated_transferred_and_deleted(basic):
    assert basic.evaluate("AssetExists", "asset7").text == "false"
    assert basic.submit("CreateAsset", "asset7", "pink", "7", "Eve", "70").payload == b""
    assert basic.evaluate("AssetExists", "asset7").text == "true"
    assert basic.submit("TransferAsset", "asset7", "Mallory").text == "Eve"
    basic.submit("UpdateAsset", "asset7", "grey", "8", "Mallory", "80")
    assert json.loads(basic.evaluate("ReadAsset", "asset7").payload) == {
        "ID": "asset7",
        "Color": "grey",
        "Size": 8,
        "Owner": "Mallory",
        "AppraisedValue": 80,
    }
    basic.submit("DeleteAsset", "asset7")
    assert "asset7" not in basic.state


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("CreateAsset", "asset1", "red", "1", "Eve", "1"), "the asset asset1 already exists"),
        (("ReadAsset", "asset9"), "the asset asset9 does not exist"),
        (("UpdateAsset", "asset9", "red", "1", "Eve", "1"), "the asset asset9 does not exist"),
        (("DeleteAsset", "asset9"), "the asset asset9 does not exist"),
        (("TransferAsset", "asset9", "Eve"), "the asset asset9 does not exist"),
    ],
)
def test_what_does_not_exist_or_already_does_is_refused_in_the_samples_words(basic, call, message):
    with pytest.raises(ChaincodeError) as caught:
        basic.submit(*call)
    assert caught.value.message == message
