"""The second process that endorses under load: it comes, falls, is replaced, and leaves nothing."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import psutil
import pytest

from gridloom.deploy import demand, endorsing_worker
from gridloom.deploy.demand import Demand
from gridloom.deploy.endorsing_worker import EndorsingWorker, worth_it
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.ports import choose_ports
from gridloom.deploy.topology import Topology
from gridloom.deploy.up import OptionsError, UpOptions
from harness.network import (
    PROBE,
    SHELF,
    NetworkProcess,
    contract,
    deploy,
    edited,
    wait_until,
)

LOAD = 120
"""Transactions that come at once."""

EAGER = "from gridloom.deploy import demand\ndemand.LATE = demand.IN_TIME = -1\ndemand.SPAN = 0\n"


def come(demand, began, rate, lateness, seconds=1.0):
    """Let things come at a rate, while timers are so late; was help needed for the last?"""
    for n in range(round(rate * seconds)):
        demand.late(lateness)
        needed = demand.note(began + n / rate)
    return needed


def test_help_is_needed_from_when_the_loop_comes_late_until_it_comes_in_time():
    demand = Demand()
    assert not come(demand, 10, rate=500, lateness=0.002, seconds=3)
    assert come(demand, 13, rate=1000, lateness=0.006, seconds=1.5)
    assert come(demand, 14.5, rate=1200, lateness=0.002, seconds=3)  # for now somebody helps
    assert come(demand, 17.5, rate=1200, lateness=0.0005)
    assert come(demand, 18.5, rate=1200, lateness=0.002)
    assert not come(demand, 19.5, rate=700, lateness=0.0005, seconds=4)
    assert not come(demand, 23.5, rate=700, lateness=0.002)


def test_a_moment_in_which_the_loop_comes_late_is_not_enough():
    demand = Demand()
    assert not come(demand, 10, rate=500, lateness=0.001, seconds=0.6)
    assert not come(demand, 10.6, rate=500, lateness=0.006, seconds=0.2)
    assert not come(demand, 10.8, rate=500, lateness=0.001, seconds=3)


def test_after_a_pause_nobody_needs_help():
    demand = Demand()
    assert come(demand, 10, rate=1000, lateness=0.006, seconds=1.5)
    assert not come(demand, 60, rate=10, lateness=0.006, seconds=0.1)
    assert demand.last == pytest.approx(11.5, abs=0.01)


def test_a_loop_has_time_while_its_last_timer_came_in_time():
    demand = Demand()
    assert demand.has_time
    demand.late(0.004)
    assert not demand.has_time
    demand.late(0.0002)
    assert demand.has_time


def test_one_core_has_nothing_to_share():
    assert worth_it(2)
    assert not worth_it(1)


def test_who_wants_one_process_gets_one():
    with pytest.raises(OptionsError, match="--one-process and --processes exclude each other"):
        UpOptions(one_process=True, processes=True).check()
    topology = Topology.default()
    assert UpOptions().may_delegate(topology) == worth_it()
    assert not UpOptions(one_process=True).may_delegate(topology)
    assert not UpOptions(in_memory=True).may_delegate(topology)


@asynccontextmanager
async def running(folder):
    """A network in this process with a worker of its own."""
    home = NetworkHome(folder)
    builder = NodeBuilder.create(choose_ports(Topology.default()), home)
    home.save_description("")
    home.save_state({"pid": None, "ports": list(builder.topology.ports())})
    worker = EndorsingWorker(home, [node.name for node in builder.topology.peers()])
    network = Network(builder, worker.deputy)
    await network.start()
    try:
        yield network, worker
    finally:
        await worker.stop()
        await network.stop()


@pytest.fixture
def eager(monkeypatch):
    """Any load calls for the process, and a fallen one is replaced at once."""
    monkeypatch.setattr(demand, "LATE", -1.0)
    monkeypatch.setattr(demand, "IN_TIME", -1.0)
    monkeypatch.setattr(demand, "SPAN", 1e-6)
    monkeypatch.setattr(endorsing_worker, "PAUSE", 0.0)
    monkeypatch.setattr(endorsing_worker, "SETTLING", 0.0)


async def process_that_endorses(shelf, worker, *, other_than=None):
    """Submit until there is one; return its process id."""
    async with asyncio.timeout(120):
        while worker.process_id in (None, other_than):
            await shelf.submit_transaction("put", "lamp", "brass")
    return worker.process_id


async def put_many(shelf, name):
    """Submit many transactions at once; all of them have to be committed."""
    await asyncio.gather(*(shelf.submit_transaction("put", f"{name}{n}", "1") for n in range(LOAD)))


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_it_comes_endorses_and_goes(tmp_path):
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        shelf = contract(network.access, "shelf")
        process = psutil.Process(await process_that_endorses(shelf, worker))
        before = sum(process.cpu_times()[:2])
        await put_many(shelf, "item")
        assert sum(process.cpu_times()[:2]) > before
        assert await shelf.evaluate_transaction("get", "item7") == b"1"
    assert not process.is_running()


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_while_it_has_much_to_do_who_has_time_endorses_as_well(tmp_path, monkeypatch):
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        shelf = contract(network.access, "shelf")
        await process_that_endorses(shelf, worker)
        called = []
        call = worker.call
        monkeypatch.setattr(worker, "call", lambda *what: called.append(what) or call(*what))
        monkeypatch.setattr(endorsing_worker, "MANY", 0)
        monkeypatch.setattr(Demand, "late", lambda *_: None)
        worker._demand.has_time = True
        await put_many(shelf, "item")
        assert called == []
        worker._demand.has_time = False
        await put_many(shelf, "item")
        assert len(called) == LOAD


@pytest.mark.network
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_is_lost_when_it_falls(tmp_path, number):
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        shelf = contract(network.access, "shelf")
        fallen = await process_that_endorses(shelf, worker)
        load = asyncio.create_task(put_many(shelf, "item"))
        await asyncio.sleep(0.02)
        os.kill(fallen, number)
        await load
        assert await shelf.evaluate_transaction("get", f"item{LOAD - 1}") == b"1"
        assert await process_that_endorses(shelf, worker, other_than=fallen) != fallen


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_it_ends_when_it_is_not_needed_for_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(endorsing_worker, "IDLE", 0.5)
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        shelf = contract(network.access, "shelf")
        process = psutil.Process(await process_that_endorses(shelf, worker))
        await asyncio.to_thread(wait_until, lambda: not process.is_running())
        assert worker.process_id is None


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_a_package_installed_later_is_run_by_a_new_one(tmp_path):
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        first = await process_that_endorses(contract(network.access, "shelf"), worker)
        await deploy(network.access, PROBE, "probe")
        probe = contract(network.access, "probe")
        second = await process_that_endorses(probe, worker, other_than=first)
        assert await probe.submit_transaction("put", "lamp", "brass") == b"brass"
        assert second != first


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_one_that_cannot_start_is_said_in_the_log_and_harms_nobody(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setattr(endorsing_worker, "PAUSE", 60.0)
    async with running(tmp_path) as (network, worker):
        await deploy(network.access, SHELF, "shelf")
        await put_many(contract(network.access, "shelf"), "item")
        assert worker.process_id is None
    assert caplog.text.count("nobody else endorses") == 1
    assert "/nowhere/python" in caplog.text


CHATTY = (r"ctx\.stub\.put_state\(key, value\)", 'print("x" * 200_000); \\g<0>')
"""How a chaincode is edited so that it prints more than a pipe holds."""


@pytest.mark.network
@pytest.mark.usefixtures("eager")
async def test_what_chaincode_prints_there_is_in_nobodys_way(tmp_path):
    """It goes to the log: a pipe that nobody reads would hold 64 KB and then everything up."""
    async with running(tmp_path / "home") as (network, worker):
        await deploy(network.access, edited(SHELF, tmp_path / "chatty", *CHATTY), "shelf")
        shelf = contract(network.access, "shelf")
        await process_that_endorses(shelf, worker)
        async with asyncio.timeout(120):
            await asyncio.gather(*(shelf.submit_transaction("put", f"{n}", "1") for n in range(8)))


@pytest.mark.slow
async def test_what_chaincode_prints_in_a_peers_own_process_is_in_nobodys_way(tmp_path):
    with NetworkProcess(tmp_path / "home", "--processes") as network:
        async with network.access() as access, asyncio.timeout(120):
            await deploy(access, edited(SHELF, tmp_path / "chatty", *CHATTY), "shelf")
            await contract(access, "shelf").submit_transaction("put", "lamp", "brass")
        log = network.home.log_file("peer0.org1.example.com").read_text()
        assert "x" * 200_000 in log


class EagerProcess(NetworkProcess):
    """A ``gridloom up`` whose peers need help at any load."""

    program = (sys.executable, "-c", f"{EAGER}from gridloom.cli import main\nmain()")


def endorsing(network):
    """The processes that endorse for a running ``gridloom up``."""
    children = psutil.Process(network.process.pid).children()
    return [child for child in children if "endorse" in child.cmdline()]


@pytest.mark.network
async def test_up_calls_it_under_load_and_it_does_not_outlive_a_killed_network(tmp_path):
    with EagerProcess(tmp_path / "home") as network:
        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            while not (found := endorsing(network)):
                await put_many(contract(access, "shelf"), "item")
            (process,) = found
        network.kill()
        wait_until(lambda: not process.is_running())
        network.start()
        async with network.access() as access:
            assert await contract(access, "shelf").evaluate_transaction("get", "item7") == b"1"


@pytest.mark.network
async def test_up_with_one_process_has_one(tmp_path):
    with EagerProcess(tmp_path / "home", "--one-process") as network:
        async with network.access() as access:
            await deploy(access, SHELF, "shelf")
            await put_many(contract(access, "shelf"), "item")
            assert psutil.Process(network.process.pid).children() == []
