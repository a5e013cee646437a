"""market/csv_community: a user's own files, and how each fault in them is named."""

import pytest

from gridloom.chaincode.energy.rules.prices import GridPrices
from gridloom.market.community import DeviceKind
from gridloom.market.csv_community import CsvSettings, read_community
from gridloom.market.errors import ProfileError

LOAD = "time,ann,bob\n0,1.5,0.2\n1,0.1,0\n"
GENERATION = "time,bob\n0,0\n1,2\n"
SETTINGS = CsvSettings((GridPrices(80_000, 300_000),))


@pytest.fixture
def read(tmp_path):
    def read(settings=SETTINGS, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
        return read_community(tmp_path, settings)

    return read


def test_users_who_generate_nothing_need_no_column(read):
    community = read(load=LOAD, generation=GENERATION)
    assert community.names == ("ann", "bob")
    assert community.load.tolist() == [[1500, 200], [100, 0]]
    assert community.generation.tolist() == [[0, 0], [0, 2000]]
    assert community.minutes == 60


@pytest.mark.parametrize(
    ("heading", "cell", "watt_hours"),
    [
        ("a (kWh)", "0.25", 250),
        ("a [Wh]", "250", 250),
        ("a (kW)", "1", 250),
        ("a (W)", "1000", 250),
    ],
)
def test_a_heading_may_name_its_unit(read, heading, cell, watt_hours):
    text = f"time,{heading}\n2026-07-01T00:00,{cell}\n2026-07-01T00:15,{cell}\n"
    community = read(load=text)
    assert community.names == ("a",)
    assert community.minutes == 15
    assert community.load.tolist() == [[watt_hours], [watt_hours]]


def test_prices_and_devices_come_from_their_files(read):
    community = read(
        load=LOAD,
        users="name,bus,pv_kw,storage_kwh\nbob,7,5,10\n",
        prices="time,sell,buy\n0,0.05,0.3\n1,0.06,0.25\n",
    )
    assert community.prices == (GridPrices(50_000, 300_000), GridPrices(60_000, 250_000))
    bob = community.users[1]
    assert bob.bus == 7
    assert [(d.kind, d.power, d.energy) for d in bob.devices] == [
        (DeviceKind.PV, 5000, 0),
        (DeviceKind.STORAGE, 5000, 10_000),
    ]


@pytest.mark.parametrize(
    ("files", "place", "says"),
    [
        ({"load": "time,a\n0,x\n"}, (2, "2 (a)"), "'x' is not a number"),
        ({"load": "time,a\n0,\n"}, (2, "2 (a)"), "is empty"),
        ({"load": "time,a\n0,nan\n"}, (2, "2 (a)"), "not a finite number"),
        ({"load": "time,a\n0,-1\n"}, (2, "2 (a)"), "-1 is below 0"),
        ({"load": "time,a\n0,1e99\n"}, (2, "2 (a)"), "is too large"),
        ({"load": "time,a\n0,5000\n"}, (2, "2 (a)"), "is the unit right?"),
        ({"load": "time,a (MWh)\n0,1\n"}, (1, "2 (a (MWh))"), "unit 'MWh' is none of"),
        ({"load": "time,a,a\n0,1,1\n"}, (1, "3 (a)"), "'a' is there twice"),
        ({"load": "time,\n0,1\n"}, (1, "2 ()"), "has no name"),
        ({"load": "time\n0\n"}, (1, None), "no column after the time"),
        ({"load": "time,a\n0,1,2\n"}, (2, None), "has 3 columns, not 2"),
        ({"load": "time,a\n0,1\n2,1\n"}, (3, "1 (time)"), "2 follows where 1 is due"),
        ({"load": "time,a\n0,1\n0,1\n"}, (3, "1 (time)"), "0 follows where 1 is due"),
        ({"load": "time,a\nnoon,1\n"}, (2, "1 (time)"), "neither a number nor an ISO 8601"),
        ({"load": "time,a\n0,1\n1.5,1\n"}, (3, "1 (time)"), "'1.5' is not a whole number"),
        ({"load": "time,a\n2026-07-01T00:00,1\n"}, (None, None), "has one row only"),
        (
            {"load": "time,a\n2026-07-01T00:00,1\n2026-07-01T00:07,1\n"},
            (3, "1 (time)"),
            "no whole minutes that divide a day",
        ),
        (
            {"load": "time,a\n2026-07-01T00:00,1\n2026-07-01T01:00,1\n2026-07-01T03:00,1\n"},
            (4, "1 (time)"),
            "follows where 2026-07-01T02:00:00 is due",
        ),
        (
            {"load": "time,a\n2026-07-01T00:00Z,1\n2026-07-01T01:00,1\n"},
            (3, "1 (time)"),
            "has a time zone, or none",
        ),
        ({"load": "time,a\n"}, (None, None), "has no row of numbers"),
        ({"load": ""}, (None, None), "is empty"),
        ({}, (None, None), "does not exist"),
        ({"load": LOAD, "generation": "time,eve\n0,1\n1,1\n"}, (1, "2 (eve)"), "not in load.csv"),
        ({"load": LOAD, "generation": "time,bob\n0,1\n"}, (None, None), "1 intervals"),
        ({"load": LOAD, "generation": "time,bob\n1,1\n2,1\n"}, (None, None), "has 1 where"),
        ({"load": LOAD, "users": "name,pv_kw\nbob,-5\n"}, (2, "2 (pv_kw)"), "-5 is below 0"),
        ({"load": LOAD, "users": "name,pv_kw\nbob,nan\n"}, (2, "2 (pv_kw)"), "not a finite"),
        ({"load": LOAD, "users": "name\nbob\nbob\n"}, (3, "1 (name)"), "'bob' is there twice"),
        ({"load": LOAD, "users": "name\neve\n"}, (2, "1 (name)"), "'eve' is not in load.csv"),
        ({"load": LOAD, "users": "name,pv\nbob,1\n"}, (1, "2 (pv)"), "'pv' is none of bus"),
        ({"load": LOAD, "users": "bus\n1\n"}, (1, None), "has no column 'name'"),
        (
            {"load": LOAD, "prices": "time,sell,buy\n0,0.3,0.1\n1,0.1,0.3\n"},
            (2, "2 (sell)"),
            "0 < sell < buy does not hold",
        ),
    ],
)  # fmt: skip
def test_every_fault_is_named_by_place_and_reason(read, files, place, says):
    with pytest.raises(ProfileError, match=says.replace("(", r"\(").replace("?", r"\?")) as caught:
        read(**files)
    assert (caught.value.row, caught.value.column) == place


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "load.csv").write_bytes(b"time,a\n0,\xff\n")
    with pytest.raises(ProfileError, match="is no CSV text"):
        read_community(tmp_path, SETTINGS)
