"""up, down, status, reset: what they do, refuse and say."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from gridloom.deploy.network_lock import LOCK_FILE
from harness.network import GRIDLOOM, HeldStart, NetworkProcess, gridloom


def test_a_folder_without_a_network_is_told_so(run, tmp_path):
    for line in ("down", "status", "reset --yes", "query basic Read", "chaincode list"):
        outcome = run(line, tmp_path / "nowhere")
        assert (outcome.status, outcome.out) == (1, "")
        assert outcome.err == (
            f"Error: {tmp_path}/nowhere: there is no network here; make one with: gridloom up\n"
        )
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_state_file_is_named(run, tmp_path):
    (tmp_path / "network.json").write_text('{"pid": ')
    assert run("status", tmp_path).err.startswith(f"Error: {tmp_path}/network.json: damaged: ")
    (tmp_path / "network.json").write_text("[]")
    assert "it does not describe a network" in run("status", tmp_path).err


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("organizations: 3", "network.yaml: organizations"),
        ("a: [", "network.yaml: "),
        (b"\xff\xfe\xfd", "network.yaml: "),
    ],
)
def test_a_bad_description_is_named_and_nothing_is_left(run, tmp_path, config, message):
    path = tmp_path / "network.yaml"
    path.write_bytes(config if isinstance(config, bytes) else config.encode())
    outcome = run("up --config network.yaml --dir net")
    assert outcome.status == 1
    assert outcome.err.startswith("Error: ")
    assert message in outcome.err
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ("--config missing.yaml", 2, "'missing.yaml' does not exist"),
        ("--port-base 64000", 1, "port base 64000 moves port"),
        ("--port-base 70000", 2, "--port-base"),
        ("--in-memory --processes", 1, "drop --in-memory"),
        ("--dir /proc/version/x --port-base 0", 1, "Not a directory"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(run, tmp_path, options, status, message):
    outcome = run(f"up --dir net {options}")
    assert outcome.status == status
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "net").exists()


def test_a_taken_port_is_named_and_nothing_is_left(run, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = f"orderer_organizations: [{{name: O, orderers: [{{port: {port}}}]}}]"
        (tmp_path / "network.yaml").write_text(config)
        outcome = run("up --config network.yaml --dir net")
    assert outcome.status == 1
    assert f"cannot listen on 127.0.0.1:{port}: address already in use" in outcome.err
    assert not (tmp_path / "net").exists()


@pytest.mark.network
class TestRunning:
    """A network that runs, and what a second process may do to it."""

    def test_its_state_tells_programs_where_everything_is(self, network):
        state = network.home.state()
        assert state["pid"] == network.process.pid == network.home.process_id()
        assert (state["mode"], state["tls"], state["processes"]) == ("single", True, {})
        (channel,) = state["channels"]
        assert (channel["name"], channel["members"]) == ("mychannel", ["Org1MSP", "Org2MSP"])
        assert Path(channel["genesis_block"]).is_file()
        org1, org2 = state["organizations"]
        assert (org1["name"], org2["msp_id"]) == ("Org1", "Org2MSP")
        for node in (*state["orderers"], *org1["peers"], *org2["peers"]):
            host, _, port = node["endpoint"].rpartition(":")
            socket.create_connection((host, int(port)), timeout=60).close()
            assert b"BEGIN CERTIFICATE" in Path(node["tls_root"]).read_bytes()
        assert [user["name"].partition("@")[0] for user in org1["users"]] == ["Admin", "User1"]
        for user in org1["users"]:
            assert list(Path(user["msp"], "signcerts").iterdir())
            (key,) = Path(user["msp"], "keystore").iterdir()
            assert key.stat().st_mode & 0o077 == 0
        profile = json.loads(Path(org1["connection_profile"]).read_text())
        assert profile["peers"]["peer0.org1.example.com"]["url"].startswith("grpcs://localhost:")

    def test_status_shows_the_heights(self, run, network):
        outcome = run("status", network.home.path)
        assert outcome.status == 0
        first, *heights = outcome.out.splitlines()
        assert first == f"running in process {network.process.pid} (single)"
        assert [line.split()[1] for line in heights] == [
            "peer0.org1.example.com",
            "peer0.org2.example.com",
        ]

    @pytest.mark.parametrize("line", ["up", "up --port-base 0", "reset --yes"])
    def test_it_is_not_started_again_nor_deleted(self, run, network, line):
        outcome = run(line, network.home.path)
        assert outcome.status == 1
        assert f"the network is running, in process {network.process.pid}" in outcome.err
        assert network.home.process_id() == network.process.pid

    def test_it_is_not_started_again_in_the_background(self, network):
        outcome = gridloom("up", "--detach", folder=network.home.path)
        assert outcome.returncode == 1
        assert f"the network is running, in process {network.process.pid}" in outcome.stderr


@pytest.mark.network
@pytest.mark.slow
class TestLife:
    """From the first start to the end."""

    def test_it_goes_up_in_the_background_and_down(self, run, tmp_path):
        home = tmp_path / "net"
        started = gridloom("up", "--detach", "--port-base", "0", folder=home)
        assert started.returncode == 0, started.stderr
        assert "The network is up after" in started.stdout
        assert "issuing credentials" in started.stderr
        assert run("down", home).out == "the network has stopped\n"
        assert not (home / LOCK_FILE).exists()
        assert json.loads((home / "network.json").read_text())["pid"] is None
        assert run("down", home).out == "the network is not running\n"
        stopped = run("status", home)
        assert (stopped.status, stopped.out) == (
            3,
            "the network is not running; start it with: gridloom up\n",
        )
        assert "the network is not running" in run("query probe get a", home).err
        (home / "mine.txt").write_text("not Gridloom's")
        assert run("reset", home).status == 1  # nobody says yes
        assert (home / "network.json").exists()
        assert run("reset --yes", home).status == 0
        assert [path.name for path in home.iterdir()] == ["mine.txt"]

    def test_another_description_needs_another_folder(self, run, tmp_path):
        config = tmp_path / "network.yaml"
        config.write_text("channels: [{name: one}]")
        with NetworkProcess(tmp_path / "net", "--config", str(config)) as network:
            network.stop()
            config.write_text("# the same, said otherwise\nchannels:\n- name: one\n")
            network.start()
            network.stop()
            config.write_text("channels: [{name: two}]")
            outcome = run(f"up --config {config}", tmp_path / "net")
            assert outcome.status == 1
            assert "there is another network here" in outcome.err
            assert "another network" in run("up --port-base 9000", tmp_path / "net").err

    def test_in_memory_forgets_the_ledger_and_keeps_the_credentials(self, run, tmp_path):
        probe = tmp_path / "net"
        with NetworkProcess(probe, "--in-memory") as network:
            before = sorted(path.name for path in (probe / "organizations").rglob("*_sk"))
            genesis = (probe / "channel-artifacts" / "mychannel.block").read_bytes()
            assert not (probe / "peers").exists()
            assert network.stop() == 0
            network.start()
            assert "height 1 " in run("status", probe).out
        assert sorted(path.name for path in (probe / "organizations").rglob("*_sk")) == before
        assert (probe / "channel-artifacts" / "mychannel.block").read_bytes() == genesis

    def test_a_stale_process_id_means_nothing(self, run, tmp_path):
        with NetworkProcess(tmp_path / "net") as network:
            network.kill()
            state = network.home.state()
            # The dead network's id now belongs to somebody else: to us.
            network.home.save_state(state | {"pid": os.getpid()})
            (network.home.path / LOCK_FILE).write_text(str(os.getpid()))
            assert network.home.process_id() is None
            assert run("down", network.home.path).out == "the network is not running\n"
            network.start()
            assert network.home.process_id() == network.process.pid

    def test_of_two_that_start_at_once_one_runs(self, tmp_path):
        command = [*GRIDLOOM, "up", "--detach", "--port-base", "0", "--dir", str(tmp_path / "net")]
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        ends = [(*process.communicate(timeout=120), process.returncode) for process in both]
        try:
            assert sorted(status for *_, status in ends) == [0, 1]
            (errors,) = [errors for _, errors, status in ends if status == 1]
            assert "Error: " in errors
            assert "the network is running, in process" in errors
        finally:
            assert gridloom("down", folder=tmp_path / "net").returncode == 0

    @pytest.mark.parametrize("options", [(), ("--processes",)], ids=["one", "processes"])
    def test_it_can_be_stopped_while_it_starts(self, run, tmp_path, options):
        home = tmp_path / "net"
        starting = HeldStart(home, *options)
        assert starting.stopped_by(lambda: run("down", home).out) == "the network has stopped\n"
        status, out, errors = starting.end()
        assert (status, out) == (1, "")
        assert "Error: the network" in errors
        assert not (home / LOCK_FILE).exists()
        with NetworkProcess(home, *options):
            assert run("status", home).status == 0

    def test_a_background_start_that_fails_says_why(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            config = tmp_path / "network.yaml"
            config.write_text(f"orderer_organizations: [{{name: O, orderers: [{{port: {port}}}]}}]")
            failed = gridloom("up", "--detach", "--config", config, folder=tmp_path / "net")
        assert failed.returncode == 1
        assert f"cannot listen on 127.0.0.1:{port}" in failed.stderr

    def test_a_background_start_that_is_killed_shows_the_end_of_its_log(self, tmp_path):
        starting = HeldStart(tmp_path / "net", "--processes")
        os.kill(starting.process_id, signal.SIGKILL)
        status, _, errors = starting.end()
        assert status == 1
        assert "Error: the network was killed by SIGKILL while it started; its log is" in errors

    def test_a_node_that_cannot_start_is_named_with_the_end_of_its_log(self, tmp_path):
        with NetworkProcess(tmp_path / "net", "--processes") as network:
            network.stop()
        (database,) = (tmp_path / "net/peers/peer0.org2.example.com").rglob("ledger.db")
        database.write_bytes(b"no database" * 1000)
        failed = gridloom("up", "--processes", folder=tmp_path / "net")
        assert failed.returncode == 1
        assert "Error: node peer0.org2.example.com ended with status 1; its log is" in failed.stderr
        assert "not a database" in failed.stderr
        assert network.home.process_id() is None
        status = gridloom("status", folder=tmp_path / "net")
        assert "it ended by itself: node peer0.org2.example.com" in status.stdout
