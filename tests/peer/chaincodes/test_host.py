"""From a name on a channel to a response: definitions, init, calls, limits and failures."""

import asyncio

import pytest

from gridloom.peer.chaincodes.errors import ChaincodeHostError, ExecutionFailed
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.invocation_check import INITIALIZED_KEY
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.protos.peer.chaincode_event_pb2 import ChaincodeEvent
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInput
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from gridloom.protos.peer.proposal_response_pb2 import Response
from harness.chaincode_peer import HostBench, call, completed, get, invocation, put
from harness.ledger import commit, endorsed, write


@pytest.fixture
def bench():
    return HostBench.create()


def echo(message, exchange):
    args = ChaincodeInput.FromString(message.payload).args
    return completed(message, b" ".join(args))


async def invoke(bench, name, *args, tx_id="tx1", is_init=False, **fields):
    simulator = bench.simulator(tx_id=tx_id)
    try:
        call = invocation(name, *args, simulator=simulator, tx_id=tx_id, is_init=is_init, **fields)
        response, event = await bench.host.invoke(call)
        return response, event, simulator.results()
    finally:
        simulator.done()


async def failure(bench, name, *args, **fields):
    with pytest.raises(ExecutionFailed) as caught:
        await invoke(bench, name, *args, **fields)
    return str(caught.value)


def namespaces(results):
    return {ns.namespace: ns.kv for ns in TxRwSet.parse(results.public).namespaces}


async def test_an_approved_and_installed_chaincode_answers(bench):
    bench.deploy("basic", echo)
    response, event, _ = await invoke(bench, "basic", b"hello", b"world")
    assert (response.status, response.payload, event) == (200, b"hello world", None)


async def test_endorsement_info_names_version_and_package(bench):
    package_id = bench.deploy("basic", echo, version="1.2")
    simulator = bench.simulator()
    info = bench.host.endorsement_info("test", "basic", simulator)
    assert (info.version, info.package_id, info.init_required) == ("1.2", package_id, False)
    assert bench.host.endorsement_info("", "qscc", None).version == "syscc"
    simulator.done()
    assert bench.host.runnable("test") == {"basic": 1}
    assert bench.host.runnable("nosuch") == {}


async def test_an_undefined_chaincode_is_not_found_and_lscc_was_asked(bench):
    simulator = bench.simulator()
    with pytest.raises(ChaincodeHostError, match=r"^chaincode nosuch not found$"):
        bench.host.endorsement_info("test", "nosuch", simulator)
    read = namespaces(simulator.results())
    assert [r.key for r in read["lscc"].reads] == ["nosuch"]
    assert [r.key for r in read["_lifecycle"].reads] == ["namespaces/fields/nosuch/Sequence"]
    simulator.done()
    assert await failure(bench, "nosuch") == (
        "failed to execute transaction tx1: invalid invocation: [channel test] failed to get "
        "chaincode container info for nosuch: chaincode nosuch not found"
    )


async def test_a_definition_without_this_organisations_approval_is_refused(bench):
    bench.peer.msp_id = "Org2MSP"
    bench.deploy("basic", echo)
    assert (await failure(bench, "basic")).endswith(
        "chaincode definition for 'basic' at sequence 1 on channel 'test' has not yet been "
        "approved by this org"
    )


@pytest.mark.parametrize("package_id", ["", "basic:" + "0" * 64])
async def test_an_approved_definition_without_its_package_is_refused(bench, package_id):
    bench.define("basic", package_id)
    assert (await failure(bench, "basic")).endswith(
        "chaincode definition for 'basic' exists, but chaincode is not installed"
    )
    assert bench.host.runnable("test") == {}


async def test_installing_later_makes_it_run(bench):
    package_id = HostBench.create().install("basic")
    bench.define("basic", package_id)
    await failure(bench, "basic")
    bench.deploy("basic", echo, sequence=2)
    assert (await invoke(bench, "basic", b"now"))[0].payload == b"now"


async def test_a_new_definition_runs_its_own_package(bench):
    bench.deploy("basic", lambda message, _: completed(message, b"one"))
    assert (await invoke(bench, "basic"))[0].payload == b"one"
    bench.launcher.scripts["other"] = bench.launcher.scripts["basic"].__class__(
        lambda message, _: completed(message, b"two")
    )
    bench.define("basic", bench.install("other"), sequence=2, version="2.0")
    assert (await invoke(bench, "basic"))[0].payload == b"two"


async def test_a_definition_newer_than_the_simulation_is_a_passing_error(bench):
    bench.deploy("basic", echo)
    old = bench.simulator()
    bench.define("basic", "", sequence=2)
    with pytest.raises(ChaincodeHostError, match="changed during invoke"):
        bench.host.endorsement_info("test", "basic", old)
    old.done()


async def test_init_comes_first_and_once_for_each_version(bench):
    kinds = []

    def script(message, exchange):
        kinds.append(message.type)
        return completed(message)

    bench.deploy("basic", script, init_required=True)
    assert (await failure(bench, "basic")).endswith(
        "invalid invocation: chaincode 'basic' has not been initialized for this version, "
        "must call as init first"
    )
    _, _, results = await invoke(bench, "basic", is_init=True)
    kv = namespaces(results)["basic"]
    assert [r.key for r in kv.reads] == [INITIALIZED_KEY]
    assert [(w.key, w.value) for w in kv.writes] == [(INITIALIZED_KEY, b"1.0")]
    commit(bench.peer.channels["test"].ledger, [endorsed(results.public, "init")])
    _, _, results = await invoke(bench, "basic")
    assert [r.key for r in namespaces(results)["basic"].reads] == [INITIALIZED_KEY]
    assert kinds == [ChaincodeMessage.INIT, ChaincodeMessage.TRANSACTION]
    assert (await failure(bench, "basic", is_init=True)).endswith(
        "chaincode 'basic' is already initialized but called as init"
    )


async def test_init_where_none_is_required_is_refused(bench):
    bench.deploy("basic", echo)
    assert (await failure(bench, "basic", is_init=True)).endswith(
        "chaincode 'basic' does not require initialization but called as init"
    )


async def test_the_event_carries_the_chaincode_and_the_transaction(bench):
    def script(message, exchange):
        done = completed(message)
        event = ChaincodeEvent(chaincode_id="forged", tx_id="forged", event_name="e", payload=b"p")
        done.chaincode_event.CopyFrom(event)
        return done

    bench.deploy("basic", script)
    _, event, _ = await invoke(bench, "basic")
    expected = ChaincodeEvent(chaincode_id="basic", tx_id="tx1", event_name="e", payload=b"p")
    assert event == expected


async def test_what_a_chaincode_refuses_is_a_response(bench):
    bench.deploy("basic", lambda message, _: completed(message, b"why", 500, "no such asset"))
    response, _, _ = await invoke(bench, "basic")
    assert (response.status, response.message, response.payload) == (500, "no such asset", b"why")


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        (ChaincodeMessage.ERROR, b"it broke", "transaction returned with failure: it broke"),
        (ChaincodeMessage.COMPLETED, b"\xff", "failed to unmarshal response for transaction tx1"),
        (ChaincodeMessage.READY, b"", "unexpected response type 4 for transaction tx1"),
    ],
)
async def test_other_ends_of_a_transaction_are_failures(bench, kind, payload, text):
    bench.deploy("basic", lambda message, _: ChaincodeMessage(type=kind, payload=payload))
    assert (await failure(bench, "basic")).startswith(text)


async def test_an_exception_that_escapes_a_chaincode_does_not_hurt_the_peer(bench):
    def script(message, exchange):
        raise SystemExit("bye")

    bench.deploy("basic", script)
    assert "chaincode crashed: SystemExit: bye" in await failure(bench, "basic")
    assert "chaincode crashed" in await failure(bench, "basic")


async def test_a_runaway_chaincode_is_ended(bench):
    bench = HostBench.create(timeout=0.05)

    def script(message, exchange):
        while True:
            pass

    bench.deploy("basic", script)
    assert (await failure(bench, "basic")) == (
        "failed to execute transaction tx1: error sending: "
        "timeout expired while executing transaction"
    )
    bench.launcher.timeout = 60.0
    bench.deploy("good", echo)
    assert (await invoke(bench, "good", b"still here"))[0].payload == b"still here"


async def test_a_package_is_launched_once_however_many_ask(bench):
    package_id = bench.deploy("basic", echo)
    answers = await asyncio.gather(
        *(invoke(bench, "basic", b"%d" % i, tx_id=f"tx{i}") for i in range(5))
    )
    assert [answer[0].payload for answer in answers] == [b"%d" % i for i in range(5)]
    assert bench.launcher.launched == [package_id]


async def test_a_launch_that_fails_is_told_and_tried_again(bench):
    package_id = bench.deploy("basic", echo)
    script = bench.launcher.scripts.pop("basic")
    assert await failure(bench, "basic") == (
        f"failed to execute transaction tx1: could not launch chaincode {package_id}: "
        "no module basic"
    )
    bench.launcher.scripts["basic"] = script
    assert (await invoke(bench, "basic", b"ok"))[0].payload == b"ok"


async def test_a_package_type_nobody_runs_is_told(bench):
    bench.define("gocc", bench.install("gocc", kind="golang"))
    assert (await failure(bench, "gocc")).endswith(
        "this peer runs chaincode of type script, not 'golang'"
    )


async def test_a_callee_shares_the_transaction_and_writes_to_its_own_namespace(bench):
    write(bench.peer.channels["test"].ledger, ("k", b"old"), namespace="callee", tx_id="seed")

    def callee(message, exchange):
        args = ChaincodeInput.FromString(message.payload).args
        put(exchange, message, "k", args[0])
        return completed(message, get(exchange, message, "k"))

    def caller(message, exchange):
        answer = call(exchange, message, "callee:9.9", b"new")
        assert answer.type == ChaincodeMessage.COMPLETED
        put(exchange, message, "mine", b"1")
        return completed(message, Response.FromString(answer.payload).payload)

    bench.deploy("callee", callee)
    bench.deploy("caller", caller)
    response, _, results = await invoke(bench, "caller")
    assert response.payload == b"old"
    found = namespaces(results)
    assert [(w.key, w.value) for w in found["callee"].writes] == [("k", b"new")]
    assert [w.key for w in found["caller"].writes] == ["mine"]
    assert [r.key for r in found["_lifecycle"].reads] == [
        "namespaces/fields/callee/Sequence",
        "namespaces/fields/caller/Sequence",
    ]


async def test_a_callees_event_stays_with_the_callee(bench):
    def callee(message, exchange):
        done = completed(message)
        done.chaincode_event.event_name = "inner"
        return done

    def caller(message, exchange):
        call(exchange, message, "callee")
        return completed(message)

    bench.deploy("callee", callee)
    bench.deploy("caller", caller)
    assert (await invoke(bench, "caller"))[1] is None


async def test_a_callee_on_another_channel_only_reads(bench):
    other = bench.peer.add_channel("other")
    write(other.ledger, ("k", b"there"), namespace="callee", tx_id="seed")

    def callee(message, exchange):
        put(exchange, message, "k", b"lost")
        return completed(message, get(exchange, message, "k"))

    def caller(message, exchange):
        answer = call(exchange, message, "callee/other")
        return completed(message, Response.FromString(answer.payload).payload)

    bench.deploy("callee", callee, channel_id="other")
    bench.deploy("caller", caller)
    response, _, results = await invoke(bench, "caller")
    assert response.payload == b"there"
    assert set(namespaces(results)) == {"_lifecycle"}
    assert ("peer/ChaincodeToChaincode", "other") in bench.peer.acl.asked


async def calling(bench, target):
    """What chaincode ``caller`` is told when it calls ``target``."""
    heard = []

    def caller(message, exchange):
        heard.append(call(exchange, message, target, b"f", b"test").payload.decode())
        return completed(message)

    if "caller" not in bench.launcher.scripts:
        bench.deploy("caller", caller)
    await invoke(bench, "caller")
    return heard[0]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("x/nosuch", "failed to find ledger for channel: nosuch"),
        (
            "nosuch",
            "execute failed: invalid invocation: [channel test] failed to get chaincode "
            "container info for nosuch: chaincode nosuch not found",
        ),
        ("caller", "execute failed: error sending: txid: tx1(test) exists"),
    ],
)
async def test_calls_that_cannot_be_made_are_told(bench, target, reason):
    heard = await calling(bench, target)
    assert heard == f"INVOKE_CHAINCODE failed: transaction ID: tx1: {reason}"


async def test_calls_need_the_right_to_call(bench):
    bench.peer.acl.denied.add("peer/ChaincodeToChaincode")
    bench.deploy("callee", echo)
    assert (await calling(bench, "callee")).endswith("tx1: not you")


@pytest.mark.parametrize("name", ["qscc", "cscc"])
async def test_system_chaincodes_want_to_be_called_by_clients(bench, name):
    heard = []

    def caller(message, exchange):
        answer = call(exchange, message, name, b"GetChainInfo", b"test")
        heard.append(Response.FromString(answer.payload))
        return completed(message)

    bench.deploy("caller", caller)
    await invoke(bench, "caller")
    assert heard[0].status == 500
    assert f"Rejecting invoke of {name.upper()} from another chaincode" in heard[0].message


async def test_a_callee_not_yet_launched_is_launched_by_the_call(bench):
    bench.deploy("callee", echo)

    def caller(message, exchange):
        answer = call(exchange, message, "callee", b"first")
        return completed(message, Response.FromString(answer.payload).payload)

    bench.deploy("caller", caller)
    assert (await invoke(bench, "caller"))[0].payload == b"first"


async def test_once_everything_runs_chaincode_runs_on_the_loop(bench):
    bench.deploy("basic", echo)
    threads = []

    def script(message, exchange):
        threads.append(asyncio.get_running_loop())
        return completed(message)

    bench.deploy("where", script)
    await invoke(bench, "basic")
    await invoke(bench, "where")
    assert threads == [asyncio.get_running_loop()]


async def test_a_host_without_its_peer_says_so():
    host = ChaincodeHost(MemoryPackageStore(), {})
    with pytest.raises(ExecutionFailed, match="not attached to a peer"):
        await host.invoke(invocation("basic"))
