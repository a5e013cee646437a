"""Why a message is not ordered, and the status that tells its sender.

(Fabric: the errors of orderer/common/msgprocessor and ``ClassifyError`` of broadcast.)
"""

from __future__ import annotations

from copy import copy
from typing import ClassVar, Self

from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2


class MessageRejected(GridloomError):
    """A message that a rule forbids; status: how Broadcast answers it."""

    status: ClassVar[common_pb2.Status.ValueType] = common_pb2.BAD_REQUEST

    def prefixed(self, what: str) -> Self:
        """The same rejection with words before its own."""
        prefixed = copy(self)
        prefixed.args = (f"{what}: {self}",)
        return prefixed


class PermissionDenied(MessageRejected):
    """The signature does not satisfy the policy; reason: the policy's own words."""

    status = common_pb2.FORBIDDEN

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}: permission denied")
        self.reason = reason


class InMaintenance(MessageRejected):
    """The channel is in maintenance mode and takes no such message."""

    status = common_pb2.SERVICE_UNAVAILABLE

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}: maintenance mode")
        self.reason = reason
