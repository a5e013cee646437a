"""Reading the values of one configuration group.

(Fabric: common/channelconfig/standardvalues.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.protos.common.configtx_pb2 import ConfigGroup

from ..errors import MalformedMessage
from ..wire import parse
from .errors import ConfigError

M = TypeVar("M", bound=Message)


class GroupValues:
    """The parsed values of a group; a value that is absent reads as an empty message."""

    def __init__(self, group: ConfigGroup, types: Mapping[str, type[Message]]) -> None:
        """Parse every value; ConfigError for a key that is not in types or bytes that fail."""
        self._messages: dict[str, Message] = {}
        for key, value in sorted(group.values.items()):
            if key not in types:
                raise ConfigError(f"failed to deserialize values: Unexpected key {key}")
            try:
                self._messages[key] = parse(types[key], value.value, key)
            except MalformedMessage as error:
                raise ConfigError(f"failed to deserialize values: {error}") from error

    def get(self, key: str, message_type: type[M]) -> M:
        """Return the value at a key, an empty one when it is not there."""
        message = self._messages.get(key)
        return message if isinstance(message, message_type) else message_type()
