"""How much each part of a node logs: Fabric's logging specification.

``info:gossip=debug:orderer.etcdraft=warn``: fields between colons, each a level for everything or
for the loggers named (Fabric: common/flogging/loggerlevels.go, FABRIC_LOGGING_SPEC).
"""

from __future__ import annotations

import logging

from .errors import GridloomError

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "dpanic": logging.CRITICAL,
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
ROOT = "gridloom"
_active = "info"


class InvalidLogSpec(GridloomError):
    """A specification that cannot be read: the text, and why."""

    def __init__(self, spec: str, reason: str) -> None:
        super().__init__(f"invalid logging specification '{spec}': {reason}")
        self.spec = spec
        self.reason = reason


def parse_spec(spec: str) -> dict[str, int]:
    """Return level by logger name, "" for all others; InvalidLogSpec."""
    found = {"": logging.INFO}
    for field in spec.split(":") if spec else ():
        names, equals, level = field.rpartition("=")
        if level.lower() not in LEVELS:
            raise InvalidLogSpec(spec, f"bad segment '{field}'")
        if equals and not all(names.split(",")):
            raise InvalidLogSpec(spec, f"no logger specified in segment '{field}'")
        for name in names.split(","):
            found[name.strip().rstrip(".")] = LEVELS[level.lower()]
    return found


def activate_spec(spec: str) -> None:
    """Put a specification into force; InvalidLogSpec: nothing changes.

    A name is that of a folder or module: orderer.etcdraft, peer.gossip.
    """
    global _active  # noqa: PLW0603 - as the loggers themselves
    levels = parse_spec(spec)
    manager = logging.getLogger(ROOT).manager
    for name in list(manager.loggerDict):
        if name.startswith(f"{ROOT}."):
            logging.getLogger(name).setLevel(logging.NOTSET)
    for name, level in levels.items():
        logging.getLogger(f"{ROOT}.{name}" if name else ROOT).setLevel(level)
    _active = spec or "info"


def active_spec() -> str:
    """Return the specification in force."""
    return _active
