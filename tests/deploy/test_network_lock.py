"""The lock that says which process runs a network."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from gridloom.deploy import network_lock
from gridloom.deploy.network_lock import (
    LOCK_FILE,
    NetworkLock,
    NetworkRuns,
    holder_of,
    is_alive,
)

HOLD = """
import sys, pathlib
from gridloom.deploy.network_lock import NetworkLock
lock = NetworkLock(pathlib.Path(sys.argv[1])).__enter__()
if len(sys.argv) > 2:  # a child that outlives us holds it too, until somebody writes into a pipe
    import subprocess
    child = subprocess.Popen(["cat", sys.argv[2]], pass_fds=[lock.descriptor],
                             stdout=subprocess.DEVNULL)
print("held", flush=True)
sys.stdin.read()
"""


def holder(folder, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    return process


def killed(process):
    process.kill()
    process.communicate()


def test_it_tells_who_holds_it_and_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "net"
    assert holder_of(folder) is None
    with NetworkLock(folder):
        assert holder_of(folder) == os.getpid()
        assert (folder / LOCK_FILE).read_text() == str(os.getpid())
    assert holder_of(folder) is None
    assert not folder.exists()


def test_what_was_put_into_the_folder_stays(tmp_path):
    with NetworkLock(tmp_path / "net"):
        (tmp_path / "net" / "file").write_text("")
    assert [path.name for path in (tmp_path / "net").iterdir()] == ["file"]


def test_only_one_process_holds_it_until_it_ends_however_it_ends(tmp_path):
    process = holder(tmp_path)
    assert holder_of(tmp_path) == process.pid
    with (
        pytest.raises(NetworkRuns, match=f"in process {process.pid}") as caught,
        NetworkLock(tmp_path),
    ):
        pass
    assert (caught.value.path, caught.value.process_id) == (tmp_path, process.pid)
    killed(process)
    assert holder_of(tmp_path) is None
    assert (tmp_path / LOCK_FILE).exists()
    with NetworkLock(tmp_path):
        assert holder_of(tmp_path) == os.getpid()


def test_a_process_id_in_the_file_means_nothing_without_the_lock(tmp_path):
    (tmp_path / LOCK_FILE).write_text("1")
    assert holder_of(tmp_path) is None


def test_it_waits_for_what_a_killed_holder_left_running(tmp_path, monkeypatch):
    pipe, folder = tmp_path / "pipe", tmp_path / "net"
    os.mkfifo(pipe)
    process = holder(folder, str(pipe))
    killed(process)
    assert holder_of(folder) == process.pid
    waited = []

    def sleep(seconds):
        if not waited:
            pipe.write_text("")  # what was left running ends
        waited.append(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(
        network_lock, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
    )
    with NetworkLock(folder):
        assert holder_of(folder) == os.getpid()
    assert waited


def test_a_folder_that_cannot_be_is_an_error_and_holds_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    assert holder_of(tmp_path / "file") is None
    with pytest.raises(OSError, match="File exists"), NetworkLock(tmp_path / "file"):
        pass


def test_a_zombie_is_not_alive():
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid)
    process.communicate()
    assert not is_alive(process.pid)
    assert is_alive(os.getpid())
