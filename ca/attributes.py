"""Attributes of identities, and which of them a registrar may give to others.

The names that begin with ``hf.`` are fabric-ca's own: they say what an identity may do with
the CA, and who registers one must own it.  Any other name is the application's.
(Fabric: fabric-ca lib/attr/attribute.go)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gridloom.common.errors import GridloomError

ROLES: Final = "hf.Registrar.Roles"
DELEGATE_ROLES: Final = "hf.Registrar.DelegateRoles"
REGISTRAR_ATTRIBUTES: Final = "hf.Registrar.Attributes"
REVOKER: Final = "hf.Revoker"
INTERMEDIATE_CA: Final = "hf.IntermediateCA"
GEN_CRL: Final = "hf.GenCRL"
AFFILIATION_MANAGER: Final = "hf.AffiliationMgr"
ENROLLMENT_ID: Final = "hf.EnrollmentID"
TYPE: Final = "hf.Type"
AFFILIATION: Final = "hf.Affiliation"

RESERVED_PREFIX: Final = "hf."
_FLAGS: Final = frozenset({REVOKER, INTERMEDIATE_CA, GEN_CRL, AFFILIATION_MANAGER})
_LISTS: Final = frozenset({ROLES, DELEGATE_ROLES, REGISTRAR_ATTRIBUTES})
_FIXED: Final = frozenset({ENROLLMENT_ID, TYPE, AFFILIATION})

_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


class AttributeNotAllowed(GridloomError):
    """A registrar may not give this attribute; name: of the attribute, reason: why not."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"attribute {name!r}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Attribute:
    """in_certificate: goes into each enrollment certificate without being asked for."""

    name: str
    value: str
    in_certificate: bool = False


Attributes = Sequence[Attribute]


def value_of(attributes: Attributes, name: str) -> str | None:
    """The value of an attribute, None without it."""
    return next((each.value for each in attributes if each.name == name), None)


def truth(text: str) -> bool:
    """Read a boolean in the spellings that Go knows; ValueError in Go's words."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def listed(text: str) -> list[str]:
    """The parts of a list separated by commas, without the space around them."""
    return [part.strip() for part in text.split(",")]


def changed(attributes: Attributes, changes: Attributes) -> tuple[Attribute, ...]:
    """Set attributes by name; an empty value takes one away."""
    result = {each.name: each for each in attributes}
    for change in changes:
        if change.value:
            result[change.name] = change
        else:
            result.pop(change.name, None)
    return tuple(result.values())


def check_may_register(
    requested: Attributes, registrar: Attributes, present: Attributes | None = None
) -> None:
    """Raise AttributeNotAllowed for the first attribute the registrar may not give.

    present: what the identity has, None when it is new.
    """
    for attribute in requested:
        _check_listed(attribute.name, registrar)
        if attribute.name in _FLAGS:
            _check_flag(attribute, registrar)
        elif attribute.name in _LISTS:
            _check_list(attribute, requested, registrar, present)
        elif attribute.name in _FIXED:
            raise AttributeNotAllowed(attribute.name, "its value is set by the CA")
        elif attribute.name.startswith(RESERVED_PREFIX):
            raise AttributeNotAllowed(attribute.name, f"{RESERVED_PREFIX} is reserved")


def _check_listed(name: str, registrar: Attributes) -> None:
    """Is the name among those of the registrar's hf.Registrar.Attributes?"""
    allowed = value_of(registrar, REGISTRAR_ATTRIBUTES)
    if not allowed:
        raise AttributeNotAllowed(name, f"the registrar has no {REGISTRAR_ATTRIBUTES}")
    if not any(_matches(name, pattern) for pattern in listed(allowed)):
        raise AttributeNotAllowed(name, f"it is not in the registrar's {REGISTRAR_ATTRIBUTES}")


def _matches(name: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern.rstrip("*"))
    return name == pattern


def _owned(name: str, registrar: Attributes) -> str:
    value = value_of(registrar, name)
    if value is None:
        raise AttributeNotAllowed(name, "the registrar does not own it")
    return value


def _check_flag(attribute: Attribute, registrar: Attributes) -> None:
    try:
        if not truth(_owned(attribute.name, registrar)):
            raise AttributeNotAllowed(attribute.name, "the registrar's own is false")
        if attribute.value:
            truth(attribute.value)
    except ValueError as error:
        raise AttributeNotAllowed(attribute.name, str(error)) from error


def _check_list(
    attribute: Attribute, requested: Attributes, registrar: Attributes, present: Attributes | None
) -> None:
    own = _owned(attribute.name, registrar)
    if not attribute.value:
        return
    if attribute.name == REGISTRAR_ATTRIBUTES:
        _check_delegated_attributes(attribute, requested, listed(own), present)
        return
    if "*" not in listed(own):
        _check_subset(attribute.name, attribute.value, own)
    if attribute.name == DELEGATE_ROLES:
        roles = value_of(requested, ROLES) or value_of(present or (), ROLES) or ""
        if "*" not in listed(roles):
            _check_subset(attribute.name, attribute.value, roles)


def _check_delegated_attributes(
    attribute: Attribute, requested: Attributes, own: Iterable[str], present: Attributes | None
) -> None:
    """Whoever may give an attribute of the CA's must have it, too."""
    patterns = list(own)
    has = {each.name for each in (*requested, *(present or ()))}
    for name in listed(attribute.value):
        if not any(_matches(name, pattern) for pattern in patterns):
            raise AttributeNotAllowed(attribute.name, f"the registrar may not give {name!r}")
        if name.startswith(RESERVED_PREFIX) and name not in has:
            raise AttributeNotAllowed(attribute.name, f"the identity itself has no {name!r}")


def _check_subset(name: str, small: str, big: str) -> None:
    known = {part.lower() for part in listed(big)}
    for part in listed(small):
        if part and part.lower() not in known:
            raise AttributeNotAllowed(name, f"{part!r} is more than the registrar has")
