"""Help: quick, complete, and with an example everywhere."""

import subprocess
import sys

import pytest
import typer
from typer.core import TyperGroup

from gridloom.cli import app

HEAVY = ("grpc", "google", "cryptography", "sqlalchemy", "matplotlib", "numpy", "yaml")


def all_commands():
    """Return the words of every command, hidden ones too."""

    def walk(command, words):
        if not isinstance(command, TyperGroup):
            yield words
            return
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name), (*words, name))

    return list(walk(typer.main.get_command(app), ()))


def test_there_are_the_commands_that_people_look_for():
    commands = {" ".join(words) for words in all_commands()}
    assert {"up", "down", "status", "reset", "invoke", "query", "events", "blocks", "demo"} <= (
        commands
    )
    steps = ("package", "install", "approve", "commit", "deploy", "list")
    assert {f"chaincode {step}" for step in steps} <= commands


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(run, words):
    shown = run(" ".join((*words, "--help")))
    assert shown.status == 0
    assert f"Example: gridloom {' '.join(words)}" in " ".join(shown.out.split())


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['gridloom', '--help']\n"
        "from gridloom.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "HEAVY []"


def test_a_command_imports_its_own_module_only():
    code = (
        "import sys; sys.argv = ['gridloom', 'invoke', '--help']\n"
        "from gridloom.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "others = ('bench', 'ca', 'market')\n"
        "print([name for name in others if f'gridloom.cli.{name}' in sys.modules])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "[]"


def test_a_network_starts_without_the_web_framework():
    code = (
        "import sys, gridloom.deploy.up, gridloom.deploy.node_process\n"
        "print([name for name in ('fastapi', 'uvicorn', 'pydantic') if name in sys.modules])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout == "[]\n"


@pytest.mark.parametrize("line", ["", "--help"])
def test_the_bare_command_shows_the_help(run, line):
    shown = run(line)
    assert shown.status in {0, 2}
    assert "chaincode" in shown.out + shown.err


def test_the_version_is_shown(run):
    assert run("--version").out.startswith("gridloom 0.")


def test_an_unknown_command_is_a_usage_error(run):
    outcome = run("upp")
    assert outcome.status == 2
    assert "No such command 'upp'" in outcome.err
