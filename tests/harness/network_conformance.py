"""What a network must do, wherever its nodes run: subclass it with an ``access`` fixture.

Every test deploys chaincodes under names of its own, so that a network may serve them all.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain as chain_of
from pathlib import Path

import pytest

from gridloom.client import CommitError, EndorseError, GatewayError, InMemoryCheckpointer
from gridloom.client.admin import ChaincodeDefinition, EndorsementError
from gridloom.common.blocks import transactions_filter
from gridloom.common.chaincode_package import build_package, package_id
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.packaging import package_source
from gridloom.protos.peer import transaction_pb2

from .network import (
    SHELF,
    chain,
    contract,
    deploy,
    deploy_package,
    edited,
    nodes,
    require_same_chains,
    settled_height,
    submit_init,
)
from .normal_blocks import normal_block
from .ports import free_port


class NetworkConformance:
    """One suite for every way to run a network (Fabric: integration/)."""

    async def test_a_chaincode_is_deployed_written_by_one_and_read_by_another(
        self, access: NetworkAccess
    ) -> None:
        package = await deploy(access, SHELF, "first")
        assert package.startswith("first_1.0:")
        await contract(access, "first", "Org1").submit_transaction("put", "lamp", "brass")
        await settled_height(access)
        for name, msp_id, _ in nodes(access):
            gateway = access.gateway(msp_id, peer=name)
            reader = gateway.get_network("mychannel").get_contract("first")
            assert await reader.evaluate_transaction("get", "lamp") == b"brass"

    async def test_clients_are_who_their_certificates_say(self, access: NetworkAccess) -> None:
        await deploy(access, SHELF, "identity")
        for organization, user in (("Org1", "User1"), ("Org2", "Admin")):
            identity = await contract(access, "identity", organization, user).evaluate_transaction(
                "whoami"
            )
            assert f"CN={user}@{organization.lower()}.example.com" in identity.decode()

    async def test_an_upgrade_runs_the_new_code_on_the_old_state(
        self, access: NetworkAccess, tmp_path: Path
    ) -> None:
        old = await deploy(access, SHELF, "upgraded")
        shelf = contract(access, "upgraded")
        await shelf.submit_transaction("put", "lamp", "brass")
        assert await shelf.evaluate_transaction("edition") == b"1"
        second = edited(SHELF, tmp_path / "second", r"EDITION = 1", "EDITION = 2")
        new = await deploy(access, second, "upgraded", version="2.0")
        assert new != old
        assert await shelf.evaluate_transaction("edition") == b"2"
        assert await shelf.evaluate_transaction("get", "lamp") == b"brass"
        await shelf.submit_transaction("put", "lamp", "steel")
        assert await shelf.evaluate_transaction("history", "lamp") == b'["steel","brass"]'
        admin = access.lifecycle("Org1")
        _, _, peer = nodes(access)[0]
        assert {old, new} <= set(await admin.installed(peer))
        committed = await admin.committed(peer, "mychannel", "upgraded")
        assert (committed.sequence, committed.version) == (2, "2.0")

    async def test_a_definition_needs_the_next_sequence_and_a_majority(
        self, access: NetworkAccess
    ) -> None:
        _, _, peer = nodes(access)[0]
        channel = access.topology.channels[0]
        admin, orderer = access.lifecycle("Org1"), access.orderer(channel)
        package = await access.install(package_source(SHELF, label="alone_1"), ["Org1"])
        with pytest.raises(EndorsementError, match="requested sequence 3 is larger than the next"):
            await admin.approve(
                peer, orderer, channel.name, ChaincodeDefinition("alone", sequence=3), package
            )
        definition = ChaincodeDefinition("alone")
        await admin.approve(peer, orderer, channel.name, definition, package)
        assert await admin.readiness(peer, channel.name, definition) == {
            "Org1MSP": True,
            "Org2MSP": False,
        }
        with pytest.raises(EndorsementError, match=r"not agreed to by this org|not been approved"):
            await admin.commit(access.endorsers(channel), orderer, channel.name, definition)
        with pytest.raises(GatewayError):
            await contract(access, "alone").evaluate_transaction("edition")

    async def test_init_must_come_first_and_only_once(self, access: NetworkAccess) -> None:
        await deploy(access, SHELF, "initialised", init_required=True)
        shelf = contract(access, "initialised")
        with pytest.raises(EndorseError) as caught:
            await shelf.submit_transaction("put", "a", "b")
        assert "has not been initialized for this version" in caught.value.details[0].message
        assert await submit_init(access, "initialised", "init", "Ann") == b"Ann"
        await shelf.submit_transaction("put", "a", "b")
        assert await shelf.evaluate_transaction("get", "owner") == b"Ann"
        with pytest.raises(EndorsementError, match="is already initialized"):
            await submit_init(access, "initialised", "init", "Bob")

    @pytest.mark.parametrize(
        ("name", "policy", "endorsers"),
        [
            ("default", "", {"Org1MSP", "Org2MSP"}),
            ("both", "AND('Org1MSP.peer','Org2MSP.peer')", {"Org1MSP", "Org2MSP"}),
            ("any", "OR('Org1MSP.peer','Org2MSP.peer')", {"Org1MSP"}),
            ("other", "OR('Org2MSP.peer')", {"Org2MSP"}),
            ("one-of", "OutOf(1,'Org1MSP.peer','Org2MSP.peer')", {"Org1MSP"}),
            ("two-of", "OutOf(2,'Org1MSP.peer','Org2MSP.peer')", {"Org1MSP", "Org2MSP"}),
            ("channel", "/Channel/Application/Endorsement", {"Org1MSP", "Org2MSP"}),
        ],
    )
    async def test_a_transaction_has_the_endorsements_its_policy_wants(
        self, access: NetworkAccess, name: str, policy: str, endorsers: set[str]
    ) -> None:
        await deploy(access, SHELF, f"policy-{name}", policy=policy)
        shelf = contract(access, f"policy-{name}")
        submitted = await shelf.submit_async("put", ["lamp", "brass"])
        status = await submitted.get_status()
        assert status.name == "VALID"
        (block,) = await chain(access, nodes(access)[0][0], status.block_number)
        (transaction,) = normal_block(block)["transactions"]
        assert set(transaction["endorsers"]) == endorsers

    async def test_too_few_endorsements_make_a_transaction_invalid(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "strict")
        shelf = contract(access, "strict")
        with pytest.raises(CommitError) as caught:
            await shelf.submit("put", ["lamp", "brass"], endorsing_organizations=["Org1MSP"])
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"
        assert await shelf.evaluate_transaction("get", "lamp") == b""

    async def test_a_guarded_key_wants_the_endorsement_of_its_guards(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "guarded", policy="OR('Org1MSP.peer','Org2MSP.peer')")
        shelf = contract(access, "guarded")
        await shelf.submit_transaction("guard", "lamp", '["Org2MSP"]')
        with pytest.raises(CommitError) as caught:
            await shelf.submit("put", ["lamp", "stolen"], endorsing_organizations=["Org1MSP"])
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"
        await shelf.submit_transaction("put", "lamp", "moved")  # the gateway finds the guards
        assert await shelf.evaluate_transaction("get", "lamp") == b"moved"

    async def test_ranges_pages_composite_keys_and_history(self, access: NetworkAccess) -> None:
        await deploy(access, SHELF, "queries")
        shelf = contract(access, "queries")
        await shelf.submit_transaction("fill", "k", "250")
        keys = json.loads(await shelf.evaluate_transaction("keys", "k0010", "k0240"))
        assert keys == [f"k{number:04}" for number in range(10, 240)]
        pages: list[list[str]] = []
        bookmark = ""
        while not pages or bookmark:
            page, bookmark = json.loads(
                await shelf.evaluate_transaction("page", "k", "l", "101", bookmark)
            )
            pages.append(page)
        assert [len(page) for page in pages if page] == [101, 101, 48]
        assert list(chain_of(*pages)) == [f"k{number:04}" for number in range(250)]
        for colour, name in (("red", "b"), ("red", "a"), ("blue", "c")):
            await shelf.submit_transaction("tag", colour, name)
        assert await shelf.evaluate_transaction("tagged", "red") == b'["a","b"]'
        await shelf.submit_transaction("put", "k0000", "again")
        await shelf.submit_transaction("remove", "k0000")
        assert await shelf.evaluate_transaction("history", "k0000") == b'["-","again","0"]'

    async def test_a_range_that_changed_meanwhile_is_a_phantom(self, access: NetworkAccess) -> None:
        await deploy(access, SHELF, "phantom")
        shelf = contract(access, "phantom")
        await shelf.submit_transaction("fill", "k", "3")
        await settled_height(access)  # else the two endorsers may read different states
        counting = await shelf.new_proposal("count_into", ["k", "l", "total"]).endorse()
        assert counting.result == b"3"
        await shelf.submit_transaction("put", "k9", "one more")
        status = await (await counting.submit()).get_status()
        assert status.name == "PHANTOM_READ_CONFLICT"
        assert await shelf.evaluate_transaction("get", "total") == b""

    async def test_a_chaincode_calls_another_and_writes_into_its_state(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "caller")
        await deploy(access, SHELF, "callee")
        caller, callee = contract(access, "caller"), contract(access, "callee")
        await caller.submit_transaction("relay", "callee", "put", '["lamp","brass"]')
        assert await callee.evaluate_transaction("get", "lamp") == b"brass"
        assert await caller.evaluate_transaction("get", "lamp") == b""
        await settled_height(access)
        answer = await caller.submit_transaction("relay", "callee", "get", '["lamp"]')
        assert answer == b"brass"
        with pytest.raises(EndorseError) as caught:
            await caller.submit_transaction("relay", "callee", "fail", '["no room"]')
        assert "callee: no room" in caught.value.details[0].message

    async def test_events_come_live_are_replayed_and_resume_at_a_checkpoint(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "events")
        shelf = contract(access, "events")
        network = access.gateway("Org2").get_network("mychannel")
        async with network.chaincode_events("events") as live:
            submitted = await shelf.submit_async("announce", ["dawn", "06:12"])
            event = await anext(live)
        assert (event.event_name, event.payload) == ("dawn", b"06:12")
        assert event.transaction_id == submitted.transaction_id
        with pytest.raises(EndorseError):
            await shelf.submit_transaction("fail", "an event without a transaction")
        await shelf.submit_transaction("announce", "dusk", "20:40")
        checkpoint = InMemoryCheckpointer()
        async with network.chaincode_events("events", start_block=0) as replayed:
            names = [(await anext(replayed)).event_name for _ in range(2)]
        assert names == ["dawn", "dusk"]
        checkpoint.checkpoint_transaction(event.block_number, event.transaction_id)
        async with network.chaincode_events("events", checkpoint=checkpoint) as resumed:
            assert (await anext(resumed)).event_name == "dusk"

    async def test_a_failing_function_says_why_and_leaves_nothing(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "failing")
        shelf = contract(access, "failing")
        before = await settled_height(access)
        with pytest.raises(EndorseError) as caught:
            await shelf.submit_transaction("fail", "no sun today")
        (detail,) = caught.value.details
        assert detail.msp_id == "Org1MSP"
        assert detail.message == "chaincode response 500, no sun today"
        with pytest.raises(EndorseError, match="integer division or modulo by zero"):
            await shelf.submit_transaction("crash")
        assert await settled_height(access) == before
        assert await shelf.evaluate_transaction("get", "failed") == b""

    async def test_transient_data_reaches_the_chaincode_and_no_block(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "secrets")
        submitted = await contract(access, "secrets").submit_async(
            "whisper", transient={"secret": "under-the-mat"}
        )
        assert submitted.result == b"13"
        status = await submitted.get_status()
        (block,) = await chain(access, nodes(access)[0][0], status.block_number)
        assert b"under-the-mat" not in block.SerializeToString()

    async def test_many_at_once_are_all_committed_and_the_peers_agree(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "burst")
        clients = [contract(access, "burst", "Org1"), contract(access, "burst", "Org2")]

        async def put(number: int) -> int:
            submitted = await clients[number % 2].submit_async("put", [f"k{number}", "v"])
            status = await submitted.get_status()
            assert status.name == "VALID"
            return status.block_number

        numbers = await asyncio.gather(*(put(number) for number in range(40)))
        await settled_height(access)
        start = min(numbers)
        chains = [await chain(access, name, start) for name, _, _ in nodes(access)]
        require_same_chains(*chains)

    async def test_of_two_that_read_and_write_one_key_only_one_wins(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "contended")
        shelf = contract(access, "contended")
        await shelf.submit_transaction("fill", "k", "1")
        await settled_height(access)
        endorsed = [
            await shelf.new_proposal("count_into", ["k", "l", f"k{name}"]).endorse()
            for name in ("a", "b")
        ]
        submitted = [await transaction.submit() for transaction in endorsed]
        names = [(await each.get_status()).name for each in submitted]
        assert Counter(names) == Counter(["VALID", "PHANTOM_READ_CONFLICT"])
        await settled_height(access)
        codes = set()
        for name, _, _ in nodes(access):
            blocks = await chain(access, name)
            codes.add(b"".join(transactions_filter(block) for block in blocks))
        assert len(codes) == 1
        assert transaction_pb2.PHANTOM_READ_CONFLICT in codes.pop()


class ServiceConformance:
    """A chaincode as a service answers as it does in the peer's process."""

    async def test_a_service_gives_the_same_answers_as_in_process(
        self, access: NetworkAccess
    ) -> None:
        await deploy(access, SHELF, "inside")
        port = free_port()
        connection = {"address": f"127.0.0.1:{port}", "dial_timeout": "10s", "tls_required": False}
        package = build_package(
            "outside_1.0", "ccaas", "", {"connection.json": json.dumps(connection).encode()}
        )
        with chaincode_service(SHELF, port, package_id("outside_1.0", package)):
            await deploy_package(access, package, "outside")
            assert await _tour(access, "outside", "inside") == await _tour(
                access, "inside", "outside"
            )


async def _tour(access: NetworkAccess, name: str, other: str) -> list[object]:
    """Use every part of the ledger once; return all answers."""
    shelf = contract(access, name)
    answers: list[object] = [
        await shelf.submit_transaction("put", "lamp", "brass"),
        await shelf.submit_transaction("fill", "k", "120"),
        await shelf.evaluate_transaction("keys", "k", "l"),
        await shelf.evaluate_transaction("page", "k", "l", "7", ""),
        await shelf.submit_transaction("tag", "red", "lamp"),
        await shelf.evaluate_transaction("tagged", "red"),
        await shelf.submit_transaction("remove", "lamp"),
        await shelf.evaluate_transaction("history", "lamp"),
        await shelf.submit_transaction("relay", other, "edition", "[]"),
        await shelf.submit("whisper", transient={"secret": "abc"}),
        await shelf.evaluate_transaction("whoami"),
    ]
    for function, arguments in (("fail", ["no room"]), ("crash", []), ("missing", [])):
        with pytest.raises(EndorseError) as caught:
            await shelf.submit(function, arguments)
        answers.append(caught.value.details[0].message)
    return answers


@contextmanager
def chaincode_service(source: Path, port: int, package: str) -> Iterator[None]:
    """Run ``python -m gridloom.chaincode`` until the block ends."""
    command = (sys.executable, "-m", "gridloom.chaincode", str(source))
    options = ("--address", f"127.0.0.1:{port}", "--id", package)
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert "listens on" in line, line + process.stderr.read()
            yield
        finally:
            process.terminate()
            process.wait(60)
