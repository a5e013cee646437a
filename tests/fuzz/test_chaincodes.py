"""Packages, the shim's messages at both ends of the stream, and arguments of every kind."""

from __future__ import annotations

import gzip
import io
import json
import logging
import tarfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

import pytest

from gridloom.chaincode import Chaincode, Context, Contract, transaction
from gridloom.chaincode.type_hints import converter
from gridloom.common.chaincode_package import build_package, parse_package, unpack_code
from gridloom.common.wire import parse
from gridloom.peer.chaincodes.connection import read_connection
from gridloom.peer.chaincodes.lifecycle.definitions import static_collections
from gridloom.peer.chaincodes.lifecycle.input_checks import check_collections
from gridloom.peer.chaincodes.lifecycle.scc import LifecycleChaincode
from gridloom.peer.chaincodes.session import TransactionSession
from gridloom.peer.chaincodes.system.cscc import ConfigurationChaincode
from gridloom.peer.chaincodes.system.qscc import QueryChaincode
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage
from gridloom.protos.peer.lifecycle import lifecycle_pb2
from harness.chaincode_peer import HostBench, completed, invocation, signed_proposal
from harness.fuzz import fuzz, fuzz_json, fuzz_text
from harness.golden_channel import peer_block
from harness.golden_transactions import golden_transaction
from harness.shared import shared


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL + 1, logger="gridloom")


def files() -> dict[str, bytes]:
    connection = {"address": "host:9999", "dial_timeout": "10s", "tls_required": False}
    return {"src/a.py": b"x = 1\n", "connection.json": json.dumps(connection).encode()}


def archive_of(name: str, content: bytes) -> bytes:
    """A code.tar.gz with one file, made quickly."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 0)


def test_packages():
    package = build_package("label_1", "ccaas", "path", files())
    golden = [path.read_bytes() for path in shared("golden", "lifecycle").glob("*.tar.gz")]
    fuzz(parse_package, [package, *golden])


def test_archives_in_packages():
    package = build_package("label_1", "ccaas", "path", files())
    code = parse_package(package).code

    def read(data: bytes) -> None:
        archive = gzip.compress(data, 0)
        unpack_code(archive)
        parse_package(archive)

    fuzz(read, [gzip.decompress(package), gzip.decompress(code)])


def test_connection_documents():
    def read(text: str) -> None:
        read_connection(archive_of("connection.json", text.encode("utf-8", "surrogatepass")))

    document = {**json.loads(files()["connection.json"]), "client_auth_required": True}
    document |= {"client_key": "x", "client_cert": "y", "root_cert": "z"}
    assert read_connection(archive_of("connection.json", files()["connection.json"]))
    fuzz_json(read, [document, json.loads(files()["connection.json"])], words=("10s", "1h"))


def requests() -> list[bytes]:
    """One request of the shim of every kind."""
    kind = ChaincodeMessage
    key = shim.GetState(key="k0001")
    hidden = shim.GetState(key="k", collection="secrets")
    page = shim.QueryMetadata(pageSize=3, bookmark="k0001").SerializeToString()
    metadata = shim.StateMetadata(metakey="VALIDATION_PARAMETER", value=b"\x08\x00")
    call = ChaincodeSpec(chaincode_id=ChaincodeID(name="callee"), input=ChaincodeInput(args=[b"f"]))
    records = [
        shim.WriteRecord(key="k", value=b"v", type=shim.WriteRecord.PUT_STATE),
        shim.WriteRecord(key="k", type=shim.WriteRecord.DEL_STATE),
    ]
    messages = {
        kind.GET_STATE: [key, hidden],
        kind.GET_PRIVATE_DATA_HASH: [hidden],
        kind.GET_STATE_MULTIPLE: [shim.GetStateMultiple(keys=["a", "b"])],
        kind.PUT_STATE: [shim.PutState(key="k", value=b"v")],
        kind.DEL_STATE: [shim.DelState(key="k")],
        kind.PURGE_PRIVATE_DATA: [shim.PurgePrivateState(key="k", collection="secrets")],
        kind.GET_STATE_METADATA: [shim.GetStateMetadata(key="k")],
        kind.PUT_STATE_METADATA: [shim.PutStateMetadata(key="k", metadata=metadata)],
        kind.GET_STATE_BY_RANGE: [
            shim.GetStateByRange(startKey="a", endKey="z"),
            shim.GetStateByRange(startKey="a", endKey="z", metadata=page),
        ],
        kind.GET_QUERY_RESULT: [shim.GetQueryResult(query='{"selector":{"a":1}}')],
        kind.GET_HISTORY_FOR_KEY: [shim.GetHistoryForKey(key="k0001")],
        kind.QUERY_STATE_NEXT: [shim.QueryStateNext(id="1")],
        kind.QUERY_STATE_CLOSE: [shim.QueryStateClose(id="1")],
        kind.WRITE_BATCH_STATE: [shim.WriteBatchState(rec=records)],
        kind.INVOKE_CHAINCODE: [call],
    }
    return [
        ChaincodeMessage(
            type=type_, payload=payload.SerializeToString(), txid="tx1", channel_id="test"
        ).SerializeToString()
        for type_, payloads in messages.items()
        for payload in payloads
    ]


def test_requests_of_a_chaincode_to_the_peer():
    bench = HostBench.create()
    bench.deploy("cc", lambda message, exchange: completed(message))
    channel = bench.peer.channels["test"]
    simulator = bench.simulator()
    session = TransactionSession(
        invocation("cc", simulator=simulator), simulator, channel, bench.host, 1000
    )

    def ask(data: bytes) -> None:
        answer = session.handle(parse(ChaincodeMessage, data))
        assert b"panic" not in answer.payload
        session.close()

    fuzz(ask, requests())


class Colour(Enum):
    RED = "red"


@dataclass
class Leaf:
    name: str
    amount: Decimal
    at: datetime
    day: date | None = None


@dataclass
class Tree:
    leaves: list[Leaf]
    by_name: dict[str, int]
    pair: tuple[int, bool]
    colour: Colour
    kind: Literal["a", "b"]
    data: bytes
    more: Tree | None = None


VALUE = {
    "leaves": [{"name": "x", "amount": "1.50", "at": "2026-11-20T12:00:00Z", "day": "2026-11-20"}],
    "by_name": {"a": 1},
    "pair": [1, True],
    "colour": "red",
    "kind": "a",
    "data": "AAEC",
    "more": None,
}


class Forest(Contract):
    @transaction
    def plant(self, ctx: Context, tree: Tree, count: int = 1) -> str:
        ctx.stub.put_state("tree", b"planted")
        entries = ctx.stub.get_state_by_range("a", "b")
        return f"{count} {len(list(entries))} {ctx.stub.get_state('tree')!r} {ctx.stub.get_tx_id()}"


def test_arguments_of_contracts():
    whole, number, amount = converter(Tree), converter(int), converter(Decimal)

    def convert(text: str) -> None:
        whole.from_argument(text.encode("utf-8", "surrogatepass"))

    def convert_number(text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        amount.from_argument(data)
        number.from_argument(data)

    words = ("1e400", "-0", "Infinity", "9" * 5000, "1.5", "2026-13-40", "2026-11-20T25:00:00Z")
    fuzz_json(convert, [{**VALUE, "more": VALUE}], words=words)
    fuzz_text(convert_number, ["12", "-5", '"text"', "1.50"], words=words, inputs=10_000)


def forest() -> Chaincode:
    """A chaincode that does not turn faults of ours into failed transactions."""
    chaincode = Chaincode([Forest()])

    def show(stub: object, error: BaseException) -> str:
        raise error

    chaincode._unexpected = show  # type: ignore[method-assign]
    return chaincode


def test_transactions_that_a_peer_sends():
    chaincode = forest()
    input_ = ChaincodeInput(args=[b"plant", json.dumps(VALUE).encode(), b"2"])
    message = ChaincodeMessage(
        type=ChaincodeMessage.TRANSACTION,
        payload=input_.SerializeToString(),
        txid="tx1",
        channel_id="test",
        proposal=signed_proposal("cc"),
    )

    def exchange(request: ChaincodeMessage) -> ChaincodeMessage:
        return ChaincodeMessage(type=ChaincodeMessage.RESPONSE, payload=b"")

    def handle(data: bytes) -> None:
        answer = chaincode.handle_transaction(parse(ChaincodeMessage, data), exchange)
        assert answer.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR)

    fuzz(handle, [message.SerializeToString()])


def test_answers_that_a_peer_sends():
    chaincode = forest()
    input_ = ChaincodeInput(args=[b"plant", json.dumps(VALUE).encode()])
    message = ChaincodeMessage(
        type=ChaincodeMessage.TRANSACTION, payload=input_.SerializeToString(), txid="tx1"
    )
    found = shim.QueryResponse(has_more=True, id="1")
    found.results.add(resultBytes=b"\x0a\x02cc\x12\x01k\x1a\x01v")
    answer = ChaincodeMessage(
        type=ChaincodeMessage.RESPONSE, payload=found.SerializeToString(), txid="tx1"
    )

    def handle(data: bytes) -> None:
        first = ChaincodeMessage(type=ChaincodeMessage.RESPONSE)
        answers = iter((first, parse(ChaincodeMessage, data)))
        last = ChaincodeMessage(type=ChaincodeMessage.ERROR)
        chaincode.handle_transaction(message, lambda _: next(answers, last))

    fuzz(handle, [answer.SerializeToString()])


def definition_arguments(**extra: object) -> dict[str, object]:
    collections = golden_lifecycle_arguments().collections
    return {
        "sequence": 1,
        "name": "cc",
        "version": "1.0",
        "endorsement_plugin": "escc",
        "validation_plugin": "vscc",
        "validation_parameter": b"\x12\x20/Channel/Application/Endorsement",
        "collections": collections,
        **extra,
    }


def golden_lifecycle_arguments() -> lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs:
    """The golden network's approval of ``gold``, with its collections."""
    for number in range(1, 8):
        for index in range(len(peer_block(number).data.data)):
            arguments = golden_transaction(number, index).args
            if arguments[0] == b"ApproveChaincodeDefinitionForMyOrg":
                approval = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs
                return approval.FromString(arguments[1])
    raise AssertionError("there is no approval in the first golden blocks")


FUNCTIONS = {
    "InstallChaincode": lifecycle_pb2.InstallChaincodeArgs(
        chaincode_install_package=build_package("label_1", "ccaas", "path", files())
    ),
    "QueryInstalledChaincode": lifecycle_pb2.QueryInstalledChaincodeArgs(package_id="l:00"),
    "GetInstalledChaincodePackage": lifecycle_pb2.GetInstalledChaincodePackageArgs(
        package_id="l:00"
    ),
    "ApproveChaincodeDefinitionForMyOrg": golden_lifecycle_arguments,
    "CheckCommitReadiness": lambda: lifecycle_pb2.CheckCommitReadinessArgs(
        **definition_arguments()
    ),
    "CommitChaincodeDefinition": lambda: lifecycle_pb2.CommitChaincodeDefinitionArgs(
        **definition_arguments()
    ),
    "QueryApprovedChaincodeDefinition": lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(
        name="cc", sequence=1
    ),
    "QueryChaincodeDefinition": lifecycle_pb2.QueryChaincodeDefinitionArgs(name="cc"),
}


def test_arguments_of_the_lifecycle():
    bench = HostBench.create()
    lifecycle = LifecycleChaincode(bench.peer, bench.host.approved)
    seeds = []
    for name, arguments in FUNCTIONS.items():
        message = arguments() if callable(arguments) else arguments
        seeds.append(ChaincodeInput(args=[name.encode(), message.SerializeToString()]))

    def call(data: bytes) -> None:
        arguments = parse(ChaincodeInput, data).args
        simulator = bench.simulator(tx_id="tx")
        try:
            invoked = invocation("_lifecycle", *arguments, simulator=simulator)
            assert lifecycle.invoke(invoked).status
        finally:
            simulator.done()

    fuzz(call, [seed.SerializeToString() for seed in seeds])


def test_arguments_of_system_chaincodes():
    bench = HostBench.create()
    chaincodes = [QueryChaincode(bench.peer), ConfigurationChaincode(bench.peer)]
    genesis = peer_block(0).SerializeToString()
    calls = [
        (b"GetBlockByNumber", b"test", b"0"),
        (b"GetBlockByHash", b"test", b"\x00" * 32),
        (b"GetTransactionByID", b"test", b"ab"),
        (b"GetChainInfo", b"test"),
        (b"JoinChain", genesis),
        (b"GetConfigBlock", b"test"),
        (b"GetChannels",),
    ]

    def call(data: bytes) -> None:
        arguments = parse(ChaincodeInput, data).args
        for chaincode in chaincodes:
            assert chaincode.invoke(invocation(chaincode.name, *arguments)).status

    fuzz(call, [ChaincodeInput(args=arguments).SerializeToString() for arguments in calls])


def test_collections_of_a_definition():
    bench = HostBench.create()
    bundle = bench.peer.channels["test"].bundle
    package = golden_lifecycle_arguments().collections

    def check(data: bytes) -> None:
        static_collections(data)
        check_collections(parse(CollectionConfigPackage, data), bundle)

    fuzz(check, [package.SerializeToString()])
