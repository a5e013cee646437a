"""Messages as JSON: what is opened, what is null, what is refused."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.errors import MalformedMessage
from gridloom.common.protolator import DEPTH_LIMIT, decode, render
from gridloom.protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    ENDORSER_TRANSACTION,
    Block,
    BlockData,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
)
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope, ConfigGroup, ConfigValue
from gridloom.protos.common.policies_pb2 import Policy
from gridloom.protos.msp.msp_principal_pb2 import MSPPrincipal
from gridloom.protos.orderer.configuration_pb2 import BatchSize


def payload(header_type: int, data: bytes = b"") -> Payload:
    header = ChannelHeader(type=header_type).SerializeToString()
    return Payload(header=Header(channel_header=header), data=data)


def test_unset_messages_are_null_and_scalars_are_written_out():
    assert decode(Block()) == {"header": None, "data": None, "metadata": None}
    assert decode(BatchSize(max_message_count=2)) == {
        "max_message_count": 2,
        "absolute_max_bytes": 0,
        "preferred_max_bytes": 0,
    }


def test_a_config_value_is_opened_by_the_name_it_stands_under():
    size = BatchSize(max_message_count=7).SerializeToString()
    group = ConfigGroup(values={"BatchSize": ConfigValue(value=size), "Own": ConfigValue()})
    values = decode(group)["values"]
    assert values["BatchSize"]["value"]["max_message_count"] == 7
    assert values["Own"]["value"] is None


def test_a_config_value_of_unknown_name_stays_base64():
    group = ConfigGroup(values={"Own": ConfigValue(value=b"\x01\x02")})
    assert decode(group)["values"]["Own"]["value"] == "AQI="


def test_an_enum_without_a_name_is_its_number():
    assert decode(Policy(type=77))["type"] == 77
    assert decode(MSPPrincipal(principal_classification=MSPPrincipal.ROLE))[
        "principal_classification"
    ] == "ROLE"  # fmt: skip


def test_a_payload_whose_type_says_nothing_of_its_data_stays_base64():
    assert decode(payload(77, b"\xff"))["data"] == "/w=="


@pytest.mark.parametrize("header_type", [CONFIG, CONFIG_UPDATE, ENDORSER_TRANSACTION])
def test_a_part_that_is_no_message_is_an_error_that_names_it(header_type):
    with pytest.raises(MalformedMessage) as caught:
        decode(payload(header_type, b"\xff"))
    assert "common.Payload.data" in str(caught.value)


def test_a_payload_with_an_unreadable_header_is_named_by_that_header():
    with pytest.raises(MalformedMessage) as caught:
        decode(Payload(header=Header(channel_header=b"\xff"), data=b"1"))
    assert "common.Header.channel_header" in str(caught.value)


def test_a_time_beyond_the_calendar_is_an_error_not_a_crash():
    header = ChannelHeader(timestamp=Timestamp(seconds=2**62))
    with pytest.raises(MalformedMessage, match="timestamp"):
        decode(header)


def test_a_transaction_that_carries_another_without_end_is_an_error_not_a_crash():
    envelope = Envelope()
    for _ in range(DEPTH_LIMIT):
        inner = ConfigEnvelope(last_update=envelope).SerializeToString()
        envelope = Envelope(payload=payload(CONFIG, inner).SerializeToString())
    block = Block(data=BlockData(data=[envelope.SerializeToString()]))
    with pytest.raises(MalformedMessage, match="within each other"):
        decode(block)


def test_text_is_written_as_go_writes_it():
    tree = {"b": "<é>&\u2028", "a": [1, None]}
    assert render(tree) == (
        '{\n\t"a": [\n\t\t1,\n\t\tnull\n\t],\n\t"b": "\\u003cé\\u003e\\u0026\\u2028"\n}\n'
    )
