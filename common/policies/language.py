"""The policy language: ``AND('Org1MSP.peer', OR('Org2MSP.peer', 'Org3MSP.admin'))``.

Gates are And, Or and OutOf(n, …), also all lower or all upper case; a principal is a
quoted ``MSP.role`` with the role member, admin, client, peer or orderer.  Every principal
appends an entry to the envelope's identities, repeated ones again.  A gate's inner gates
are numbered before its own principals, because the inner calls are evaluated first: the
bytes matter, since approvals of a chaincode are compared byte for byte.
(Fabric: common/policydsl, common/policies/implicitmetaparser.go.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gridloom.protos.common.policies_pb2 import (
    ImplicitMetaPolicy,
    Policy,
    SignaturePolicy,
    SignaturePolicyEnvelope,
)
from gridloom.protos.msp.msp_principal_pb2 import MSPRole

from ..errors import GridloomError
from .principals import principal_content, role_name, role_principal

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'[^']*'|"[^"]*") | (?P<number>[+-]?[0-9]{1,9}(?:\.[0-9]{0,9})?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*) | (?P<sign>[(),]) | (?P<end>$) )""",
    re.VERBOSE,
)
_PRINCIPAL = re.compile(r"([A-Za-z0-9.-]+)\.(member|admin|client|peer|orderer)")
_GATES = {
    form: gate for gate in ("And", "Or", "OutOf") for form in (gate, gate.lower(), gate.upper())
}
_MAX_DEPTH = 40  # protobuf parsers stop at 100 nested messages, two for each gate


class PolicyLanguageError(GridloomError):
    """A text that is no policy, or a policy that has no text; text: as given."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{reason} in policy {text!r}")
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Gate:
    name: str
    arguments: tuple[_Argument, ...]


@dataclass(frozen=True, slots=True)
class _Number:
    value: int


_Argument = _Gate | _Number | str


def parse(text: str) -> SignaturePolicyEnvelope:
    """Parse a signature policy; PolicyLanguageError."""
    argument = _Reader(text).whole()
    if not isinstance(argument, _Gate):
        raise PolicyLanguageError(text, "no gate (And, Or, OutOf)")
    envelope = SignaturePolicyEnvelope()
    _build(text, argument, envelope, envelope.rule)
    return envelope


def parse_implicit(text: str) -> ImplicitMetaPolicy:
    """Parse ``ANY|ALL|MAJORITY <sub-policy>``; PolicyLanguageError."""
    words = text.split(" ")
    if len(words) != 2:
        raise PolicyLanguageError(
            text, f"expected two space separated tokens, but got {len(words)}"
        )
    if words[0] not in ImplicitMetaPolicy.Rule.keys():  # noqa: SIM118 - an enum, no mapping
        raise PolicyLanguageError(
            text, f"unknown rule type '{words[0]}', expected ALL, ANY, or MAJORITY"
        )
    return ImplicitMetaPolicy(rule=ImplicitMetaPolicy.Rule.Value(words[0]), sub_policy=words[1])


def parse_policy(text: str) -> Policy:
    """Parse either form into a Policy message: implicit when the first word says so."""
    if text.split(" ", maxsplit=1)[0] in ImplicitMetaPolicy.Rule.keys():  # noqa: SIM118 - as above
        value = parse_implicit(text).SerializeToString(deterministic=True)
        return Policy(type=Policy.IMPLICIT_META, value=value)
    value = parse(text).SerializeToString(deterministic=True)
    return Policy(type=Policy.SIGNATURE, value=value)


def render(envelope: SignaturePolicyEnvelope) -> str:
    """Return the text of a policy; PolicyLanguageError when the language cannot say it.

    ``parse(render(parse(text)))`` equals ``parse(text)``.
    """
    return _render(envelope.rule, envelope, top=True)


# --- reading -----------------------------------------------------------------------


class _Reader:
    """A recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._kind = ""
        self._value = ""
        self._advance()

    def whole(self) -> _Argument:
        argument = self._argument(0)
        if self._kind != "end":
            raise self._unexpected()
        return argument

    def _argument(self, depth: int) -> _Argument:
        kind, value = self._kind, self._value
        if depth > _MAX_DEPTH:
            raise PolicyLanguageError(self._text, f"more than {_MAX_DEPTH} gates nested")
        if kind in ("string", "number", "word"):
            self._advance()
        if kind == "string":
            return value[1:-1]
        if kind == "number":
            return _Number(int(float(value)) if "." in value else int(value))
        if kind != "word":
            raise self._unexpected()
        if value not in _GATES:
            raise PolicyLanguageError(self._text, f"unrecognized token '{value}'")
        self._expect("(")
        arguments: list[_Argument] = []
        while self._value != ")" or self._kind != "sign":
            if arguments:
                self._expect(",")
            arguments.append(self._argument(depth + 1))
        self._advance()
        return _Gate(_GATES[value], tuple(arguments))

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._position)
        if found is None or found.lastgroup is None:
            rest = self._text[self._position :].strip()[:20]
            raise PolicyLanguageError(self._text, f"unrecognized token '{rest}'")
        self._kind, self._value = found.lastgroup, found[found.lastgroup]
        self._position = found.end()

    def _expect(self, sign: str) -> None:
        if self._kind != "sign" or self._value != sign:
            raise self._unexpected()
        self._advance()

    def _unexpected(self) -> PolicyLanguageError:
        shown = "EOF" if self._kind == "end" else self._value
        return PolicyLanguageError(self._text, f"unexpected token {shown}")


# --- building ----------------------------------------------------------------------


def _build(
    text: str, gate: _Gate, envelope: SignaturePolicyEnvelope, into: SignaturePolicy
) -> None:
    """Fill in a rule; inner gates first, then the gate's own principals, in order."""
    needed, arguments = _needed(text, gate)
    into.n_out_of.n = needed
    rules = [into.n_out_of.rules.add() for _ in arguments]
    for argument, rule in zip(arguments, rules, strict=True):
        if isinstance(argument, _Gate):
            _build(text, argument, envelope, rule)
    for argument, rule in zip(arguments, rules, strict=True):
        if isinstance(argument, str):
            found = _PRINCIPAL.fullmatch(argument)
            if found is None:
                raise PolicyLanguageError(text, f"unrecognized token '{argument}'")
            rule.signed_by = len(envelope.identities)
            role = MSPRole.MSPRoleType.Value(found[2].upper())
            envelope.identities.append(role_principal(found[1], role))


def _needed(text: str, gate: _Gate) -> tuple[int, tuple[_Argument, ...]]:
    """Return how many arguments must hold, and the arguments without that number."""
    arguments = gate.arguments
    needed = 1 if gate.name == "Or" else len(arguments)
    given = len(arguments) + 1
    if gate.name == "OutOf":
        given = len(arguments)
        if given >= 2:
            needed, arguments = _number(text, arguments[0]), arguments[1:]
    if given < 2:
        raise PolicyLanguageError(text, f"expected at least two arguments to NOutOf. Given {given}")
    for argument in arguments:
        if isinstance(argument, _Number):
            raise PolicyLanguageError(
                text, f"expected a principal or a gate, got the number {argument.value}"
            )
    # One more than there are is allowed: a policy that nobody ever satisfies.
    if not 0 <= needed <= len(arguments) + 1:
        raise PolicyLanguageError(
            text, f"invalid t-out-of-n predicate, t {needed}, n {len(arguments)}"
        )
    return needed, arguments


def _number(text: str, argument: _Argument) -> int:
    """Return the n of an OutOf, which may also be quoted."""
    if isinstance(argument, _Number):
        return argument.value
    if isinstance(argument, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,9}\s*", argument):
        return int(argument)
    raise PolicyLanguageError(text, "OutOf needs a number as its first argument")


# --- rendering ---------------------------------------------------------------------


def _render(rule: SignaturePolicy, envelope: SignaturePolicyEnvelope, *, top: bool) -> str:
    shown = "a policy without text"
    if rule.WhichOneof("Type") == "signed_by":
        if not 0 <= rule.signed_by < len(envelope.identities):
            raise PolicyLanguageError(shown, f"no principal {rule.signed_by}")
        content = principal_content(envelope.identities[rule.signed_by])
        named = (
            f"{content.msp_identifier}.{role_name(content.role)}"
            if isinstance(content, MSPRole)
            else ""
        )
        if not _PRINCIPAL.fullmatch(named):
            raise PolicyLanguageError(shown, "a principal that is no role of an MSP")
        return f"OR('{named}')" if top else f"'{named}'"
    needed, rules = rule.n_out_of.n, rule.n_out_of.rules
    if not rules or not 0 <= needed <= len(rules) + 1:
        raise PolicyLanguageError(shown, f"{needed} out of {len(rules)}")
    arguments = ", ".join(_render(inner, envelope, top=False) for inner in rules)
    if needed == 1:
        return f"OR({arguments})"
    return f"AND({arguments})" if needed == len(rules) else f"OutOf({needed}, {arguments})"
