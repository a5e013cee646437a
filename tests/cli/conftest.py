"""The command line in this process, and a network for it to use."""

import shlex
import sys

import pytest

from gridloom.cli import main
from harness.network import PROBE, NetworkProcess


class Outcome:
    """How a command ended: exit status, standard output, standard error."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"Outcome({self.status}, out={self.out!r}, err={self.err!r})"


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    """Run a command line in this process; it works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDLOOM_DIR", raising=False)

    def command(line, folder=None):
        if folder is not None:
            monkeypatch.setenv("GRIDLOOM_DIR", str(folder))
        monkeypatch.setattr(sys, "argv", ["gridloom", *shlex.split(line)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Outcome(end.value.code or 0, *capfd.readouterr())

    return command


@pytest.fixture
def settled(run, network):
    """Return once the peers of both organisations have the same height."""

    def wait():
        heights = {}
        while len(heights) != 1:
            shown = run("status", network.home.path).out
            heights = {line.split("height ")[1] for line in shown.splitlines() if "height" in line}

    return wait


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A running network with the probe on it."""
    home = tmp_path_factory.mktemp("cli") / "home"
    with NetworkProcess(home, "--chaincode", str(PROBE)) as network:
        yield network
