"""What deploy/ holds for real machines says what the programs understand."""

import configparser
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from gridloom.cli import app
from gridloom.deploy.topology import Topology
from gridloom.orderer.settings import load_settings as orderer_settings
from gridloom.peer.settings import load_settings as peer_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
KUBERNETES = [
    document
    for name in ("orderers.yaml", "peers.yaml")
    for document in yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text())
]
SETS = [document for document in KUBERNETES if document["kind"] == "StatefulSet"]


def understood(arguments: list[str]) -> bool:
    """Whether the program takes these arguments."""
    command = typer.main.get_command(app)
    context = command.make_context("gridloom", list(arguments), resilient_parsing=True)
    for name in arguments[:2]:
        command = command.get_command(context, name)  # type: ignore[attr-defined]
        assert command is not None, arguments
    known = {option for parameter in command.params for option in parameter.opts}
    return {each for each in arguments if each.startswith("-")} <= known


def settings_change(folder: Path, variables: dict[str, str]) -> bool:
    """Whether every variable changes a setting of the node it is for."""
    (folder / "orderer.yaml").write_text("{}")
    (folder / "core.yaml").write_text("{}")
    for name, value in variables.items():
        load = orderer_settings if name.startswith("ORDERER_") else peer_settings
        if load(folder, {name: value}) == load(folder, {}):
            return False
    return True


def own(variables: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in variables.items() if k.startswith(("ORDERER_", "CORE_"))}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path, tmp_path: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    program, *arguments = shlex.split(parser["Service"]["ExecStart"])
    assert Path(program).name == "gridloom"
    assert understood(arguments)
    assigned = re.findall(r"^Environment=(\w+)=(.*)$", unit.read_text(), re.MULTILINE)
    assert settings_change(tmp_path, own(dict(assigned)))


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_container_runs_a_command_that_there_is(name: str, tmp_path: Path) -> None:
    service = COMPOSE["services"][name]
    assert understood(service["command"])
    assert settings_change(tmp_path, own(service["environment"]))
    assert f"./consortium/nodes/{name}:/node:ro" in service["volumes"]


def test_the_containers_are_the_nodes_of_the_description() -> None:
    topology = Topology.load(DEPLOY / "compose/three-orderers.yaml")
    assert {node.name for node in topology.nodes()} == set(COMPOSE["services"])
    assert {node.host for node in topology.nodes()} == set(COMPOSE["services"])


@pytest.mark.parametrize("each", SETS, ids=lambda each: each["metadata"]["name"])
def test_a_pod_runs_a_command_that_there_is(each: dict, tmp_path: Path) -> None:
    (container,) = each["spec"]["template"]["spec"]["containers"]
    assert understood(container["args"])
    assert settings_change(tmp_path, own({v["name"]: v["value"] for v in container["env"]}))
    assert each["spec"]["replicas"] == 1


def test_the_services_are_the_hosts_of_the_description_at_their_ports() -> None:
    topology = Topology.load(DEPLOY / "kubernetes/three-orderers.yaml")
    services = {
        document["metadata"]["name"]: {port["port"] for port in document["spec"]["ports"]}
        for document in KUBERNETES
        if document["kind"] == "Service"
    }
    wanted = {node.host: {node.port} for node in topology.peers()}
    wanted |= {n.host: {n.port, n.admin_port, n.cluster_port} for n in topology.orderers()}
    assert services == wanted
