"""The scripts of tests/data/policies: the language, greedy evaluation, implicit meta, inquiry."""

from pathlib import Path

import pytest

from gridloom.common.errors import GridloomError
from gridloom.common.policies import inquire, language
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy_manager import PolicyManager
from gridloom.common.policies.principals import describe_principal
from gridloom.protos.common.configtx_pb2 import ConfigGroup
from harness.datadriven import Command, run_script
from harness.fake_msps import FakeIdentity, FakeMsps

SCRIPTS = Path(__file__).resolve().parents[2] / "data" / "policies"


def _text(command: Command, key: str) -> str:
    return ",".join(command.args.get(key, [])).replace("_", " ")


def _signers(command: Command) -> list[FakeIdentity]:
    return [FakeIdentity(text) for text in command.args.get("signers", []) if text]


def _parse(command: Command) -> str:
    envelope = language.parse(_text(command, "policy"))
    principals = " ".join(
        f"{index}={describe_principal(principal)}"
        for index, principal in enumerate(envelope.identities)
    )

    def show(rule) -> str:
        if rule.WhichOneof("Type") == "signed_by":
            return str(rule.signed_by)
        return f"{rule.n_out_of.n} of [{' '.join(map(show, rule.n_out_of.rules))}]"

    return f"{show(envelope.rule)}\n{principals}\n{language.render(envelope)}"


def _verdict(policy, signers: list[FakeIdentity]) -> str:
    try:
        policy.evaluate_identities(signers)
    except GridloomError as error:
        return f"{error}\n{error.explanation}"
    return "satisfied"


def _evaluate(command: Command) -> str:
    envelope = language.parse(_text(command, "policy"))
    return _verdict(compile_signature_policy(envelope, FakeMsps()), _signers(command))


def _tree(command: Command) -> PolicyManager:
    """Two levels: rule at /Channel/Application over orgs; orgs= have it, lacking= do not."""
    root = ConfigGroup()
    rule = language.parse_policy(_text(command, "rule"))
    application = root.groups["Application"]
    application.policies["P"].policy.CopyFrom(rule)
    for org in command.args.get("orgs", []):
        text = f"OR('{org}.peer','{org}.admin')"
        application.groups[org].policies["P"].policy.CopyFrom(language.parse_policy(text))
    for org in command.args.get("lacking", []):
        application.groups[org].SetInParent()
    return PolicyManager("Channel", root, FakeMsps())


def _implicit(command: Command) -> str:
    return _verdict(_tree(command).get("/Channel/Application/P"), _signers(command))


def _convert(command: Command) -> str:
    return language.render(_tree(command).get("/Channel/Application/P").convert())


def _sets(command: Command) -> str:
    absent = command.args.get("absent", [])
    wanted = [
        inquire.principal_sets(
            language.parse(policy.replace(";", ",")),
            usable=lambda principal: describe_principal(principal).strip("'") not in absent,
        )
        for policy in command.args["policies"]
    ]
    found = wanted[0] if len(wanted) == 1 else inquire.merge_principal_sets(wanted)
    return "\n".join(" ".join(map(describe_principal, each)) for each in found) or "none"


COMMANDS = {
    "parse": _parse,
    "evaluate": _evaluate,
    "implicit": _implicit,
    "convert": _convert,
    "sets": _sets,
}


def _handle(command: Command) -> str:
    try:
        return COMMANDS[command.name](command)
    except GridloomError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_script(script, rewrite):
    run_script(script, _handle, rewrite=rewrite)
