"""Evaluating ApplicationPolicy messages: endorsement policies as definitions store them.

A policy is either a signature policy of its own or the name of a channel policy.  Compiled
policies are kept for the life of one channel bundle, found again by their bytes.
(Fabric: core/policy/application.go)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.policies.evaluate import compile_signature_policy
from gridloom.common.policies.policy import Policy, SignedData
from gridloom.common.wire import parse
from gridloom.protos.peer import policy_pb2


class UnusablePolicy(GridloomError):
    """An ApplicationPolicy that names no kind of policy."""


class ApplicationPolicies:
    """The application policies of one channel configuration."""

    def __init__(self, bundle: ChannelBundle) -> None:
        self.bundle = bundle
        self._compiled: dict[bytes, Policy] = {}

    def evaluate(self, policy: bytes, signatures: Sequence[SignedData]) -> None:
        """Hold ``signatures`` against a serialized ApplicationPolicy.

        Raises a GridloomError when they do not satisfy it, and also when it does not parse,
        does not compile or names a channel policy that does not exist: to the judged
        transaction it is all the same.
        """
        compiled = self._compiled.get(policy)
        if compiled is None:
            compiled = self._compiled[policy] = self._compile(policy)
        compiled.evaluate(signatures)

    def _compile(self, policy: bytes) -> Policy:
        application = parse(policy_pb2.ApplicationPolicy, policy)
        kind = application.WhichOneof("Type")
        if kind == "signature_policy":
            return compile_signature_policy(application.signature_policy, self.bundle.msp_manager)
        if kind == "channel_config_policy_reference":
            return self.bundle.policies.get(application.channel_config_policy_reference)
        raise UnusablePolicy("an application policy of no known kind")
