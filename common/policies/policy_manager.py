"""The policies of a configuration tree, found by path.

(Fabric: common/policies ManagerImpl.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from gridloom.protos.common.configtx_pb2 import ConfigGroup
from gridloom.protos.common.policies_pb2 import ImplicitMetaPolicy as ImplicitMetaMessage
from gridloom.protos.common.policies_pb2 import Policy as PolicyMessage
from gridloom.protos.common.policies_pb2 import SignaturePolicyEnvelope

from ..errors import MalformedMessage
from ..wire import parse
from .evaluate import SignaturePolicy
from .implicit_meta import ImplicitMetaPolicy
from .policy import Identities, InvalidPolicy, Policy, RejectPolicy


class PolicyManager:
    """The compiled policies of one group and, through `sub`, of the groups inside it."""

    __slots__ = ("_policies", "_subs", "path")

    def __init__(self, path: str, group: ConfigGroup, msps: Identities) -> None:
        """Compile every policy below a group.

        path: the group's own, without a leading slash (``Channel``).  InvalidPolicy names
        the policy and its path.
        """
        self.path = path
        self._subs = {
            name: PolicyManager(f"{path}/{name}", child, msps)
            for name, child in sorted(group.groups.items())
        }
        self._policies: dict[str, Policy] = {}
        for name, config_policy in sorted(group.policies.items()):
            if not config_policy.HasField("policy"):
                raise InvalidPolicy(f"policy {name} at path {path} was nil")
            try:
                self._policies[name] = self._compile(config_policy.policy, msps)
            except (InvalidPolicy, MalformedMessage) as error:
                raise InvalidPolicy(
                    f"policy {name} at path {path} did not compile: {error}"
                ) from error

    @property
    def subs(self) -> Mapping[str, PolicyManager]:
        """Return the managers of the child groups by name."""
        return MappingProxyType(self._subs)

    def sub(self, groups: Sequence[str]) -> PolicyManager | None:
        """Return the manager of the group at this relative path, None when there is none."""
        found: PolicyManager | None = self
        for name in groups:
            found = found._subs.get(name) if found else None
        return found

    def find(self, path: str) -> Policy | None:
        """Return the policy at an absolute (``/Channel/…``) or relative path, or None."""
        if path.startswith("/"):
            prefix = f"/{self.path}/"
            if not path.startswith(prefix):
                return None
            path = path[len(prefix) :]
        *groups, name = path.split("/")
        manager = self.sub(groups)
        return manager._policies.get(name) if manager else None

    def get(self, path: str) -> Policy:
        """Return the policy at a path; one that nobody satisfies when there is none."""
        return self.find(path) or RejectPolicy(path)

    def paths(self) -> Iterator[str]:
        """Yield the absolute path of every policy in the tree."""
        yield from (f"/{self.path}/{name}" for name in self._policies)
        for manager in self._subs.values():
            yield from manager.paths()

    def _compile(self, message: PolicyMessage, msps: Identities) -> Policy:
        if message.type == PolicyMessage.SIGNATURE:
            envelope = parse(SignaturePolicyEnvelope, message.value)
            if envelope.version != 0:
                raise InvalidPolicy(
                    "this evaluator only understands messages of version 0, "
                    f"but version was {envelope.version}"
                )
            return SignaturePolicy(envelope, msps)
        if message.type == PolicyMessage.IMPLICIT_META:
            meta = parse(ImplicitMetaMessage, message.value)
            children = {name: manager.get(meta.sub_policy) for name, manager in self._subs.items()}
            return ImplicitMetaPolicy(meta, children, msps)
        raise InvalidPolicy(f"unknown policy type: {message.type}")
