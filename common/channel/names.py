"""Names of the configuration tree, and which names are allowed at all.

(Fabric: common/channelconfig keys, common/configtx/validator.go.)
"""

from __future__ import annotations

import re
from typing import Final

from .errors import ConfigError

CHANNEL: Final = "Channel"
APPLICATION: Final = "Application"
ORDERER: Final = "Orderer"
CONSORTIUMS: Final = "Consortiums"

READERS: Final = "Readers"
WRITERS: Final = "Writers"
ADMINS: Final = "Admins"
ENDORSEMENT: Final = "Endorsement"
LIFECYCLE_ENDORSEMENT: Final = "LifecycleEndorsement"
BLOCK_VALIDATION: Final = "BlockValidation"

CAPABILITIES: Final = "Capabilities"
MSP: Final = "MSP"
ORDERER_ADMINS_PATH: Final = "/Channel/Orderer/Admins"

MAX_NAME_LENGTH: Final = 249
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9.-]*")
_ELEMENT = re.compile(r"[a-zA-Z0-9.-]+")


def check_channel_id(channel_id: str) -> None:
    """Raise ConfigError unless this may be the name of a channel."""
    _check(channel_id, "channel ID", _CHANNEL_ID)


def check_element_name(name: str) -> None:
    """Raise ConfigError unless this may be the key of a group, value or policy."""
    if name in (".", ".."):
        raise ConfigError(f"name '{name}' for config ID is not allowed")
    _check(name, "config ID", _ELEMENT)


def _check(name: str, what: str, form: re.Pattern[str]) -> None:
    if not name:
        raise ConfigError(f"{what} illegal, cannot be empty")
    if len(name.encode()) > MAX_NAME_LENGTH:
        raise ConfigError(f"{what} illegal, cannot be longer than {MAX_NAME_LENGTH}")
    if form.fullmatch(name) is None:
        # As Fabric words it: only the names of elements are introduced.
        shown = f"'{name}'" if form is _CHANNEL_ID else f"{what} '{name}'"
        raise ConfigError(f"{shown} contains illegal characters")
