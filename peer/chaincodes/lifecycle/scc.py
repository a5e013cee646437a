"""The system chaincode ``_lifecycle``: takes a function's name and its serialized Args.

Every function answers its serialized Result.  A name without a definition is status 404,
other failures are 500 with Fabric's text.  (Fabric: core/chaincode/lifecycle/scc.go)
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.peer.proposal_response_pb2 import Response

from ..invocation import Invocation
from ..resources import PeerResources
from ..system_chaincode import failure, success
from .approved import ApprovedChaincodes
from .definition_functions import DEFINITION_FUNCTIONS
from .definitions import LIFECYCLE_NAMESPACE, NamespaceNotDefined
from .package_functions import PACKAGE_FUNCTIONS
from .step import Step

_FUNCTIONS = {**PACKAGE_FUNCTIONS, **DEFINITION_FUNCTIONS}


class LifecycleChaincode:
    """``_lifecycle`` of one peer."""

    name = LIFECYCLE_NAMESPACE

    def __init__(self, peer: PeerResources, approved: ApprovedChaincodes) -> None:
        self._peer = peer
        self._approved = approved

    def invoke(self, invocation: Invocation) -> Response:
        """Answer one function call."""
        args = invocation.input.args
        if not args:
            return failure("lifecycle scc must be invoked with arguments")
        if len(args) != 2:
            return failure(
                f"lifecycle scc operations require exactly two arguments but received {len(args)}"
            )
        function = args[0].decode("utf-8", "replace")
        channel_id = invocation.channel_id
        channel = self._peer.channel(channel_id) if channel_id else None
        if channel_id and channel is None:
            return failure(f"could not get channelconfig for channel '{channel_id}'")
        try:
            self._peer.acl.check_proposal(
                f"{LIFECYCLE_NAMESPACE}/{function}", channel_id, invocation.signed_proposal
            )
        except GridloomError as error:
            return failure(f"Failed to authorize invocation due to failed ACL check: {error}")
        step = Step(self._peer, self._approved, channel_id, channel, invocation.simulator)
        return _dispatch(step, function, args[1])


def _dispatch(step: Step, name: str, argument: bytes) -> Response:
    function = _FUNCTIONS.get(name)
    refused = f"failed to invoke backing implementation of '{name}': "
    if function is None:
        return failure(f"{refused}receiver *lifecycle.Invocation.{name} does not exist")
    try:
        request = parse(function.args, argument)
    except MalformedMessage as error:
        what = f"could not decode input arg for *lifecycle.Invocation.{name}"
        return failure(f"{refused}{what}: {error.reason}")
    try:
        result = function.run(step, request)
    except NamespaceNotDefined as error:
        return failure(str(error), status=404)
    except GridloomError as error:
        return failure(f"{refused}{error}")
    return success(result.SerializeToString(deterministic=True))
