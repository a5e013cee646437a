"""What processes use, and what those use that they start."""

import os
import subprocess
import sys
from contextlib import ExitStack

import psutil

from gridloom.bench.processes import ProcessWatch

SPIN = (
    "import sys, time\nwhile time.process_time() < 0.4: pass\nprint(flush=True)\nsys.stdin.read()"
)
"""Uses four tenths of a second, says so, and stays."""


def test_a_process_that_is_started_later_is_watched_under_its_parents_name():
    watch = ProcessWatch({"network": os.getpid()})
    assert "network+1" not in watch.cpu_seconds()
    with ExitStack() as stack:
        child = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", SPIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        )
        child.stdout.readline()
        used = watch.cpu_seconds()
        assert used["network+1"] >= 0.3
        assert watch.peak_rss["network+1"] > 1_000_000
        assert watch.cpu_seconds().keys() == used.keys()  # it is not found twice
        child.stdin.close()
    assert watch.cpu_seconds()["network+1"] >= used["network+1"]  # its last figures stay


def test_a_process_that_has_ended_is_not_watched():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not psutil.pid_exists(gone.pid)
    assert ProcessWatch({"network": gone.pid}).cpu_seconds() == {}
