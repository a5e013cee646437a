"""A message on its way into a block, judged once and, if it must be, once more."""

from __future__ import annotations

import logging
from typing import NamedTuple

from gridloom.common.errors import GridloomError
from gridloom.protos.common.common_pb2 import Envelope

from .chain import ConsenterSupport

log = logging.getLogger(__name__)


class Arrival(NamedTuple):
    """A message to be ordered, judged by the configuration of ``config_sequence``."""

    envelope: Envelope
    config_sequence: int
    is_config: bool

    def judged(self, support: ConsenterSupport) -> Arrival | None:
        """The message, judged again if the configuration has changed; None if it is to be dropped.

        A CONFIG message is computed anew from the update in it.
        """
        if self.config_sequence >= support.sequence:
            return self
        try:
            if not self.is_config:
                sequence = support.process_normal(self.envelope)
                return Arrival(self.envelope, sequence, is_config=False)
            envelope, sequence = support.process_config(self.envelope)
        except GridloomError as error:
            log.warning(
                "[channel: %s] dropping a message now invalid: %s", support.channel_id, error
            )
            return None
        return Arrival(envelope, sequence, is_config=True)
