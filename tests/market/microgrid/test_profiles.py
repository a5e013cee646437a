"""market/microgrid/profiles and energy_day: reading a user's own day."""

import pytest

from gridloom.market.errors import ProfileError
from gridloom.market.microgrid.energy_day import paper_day, read_day
from gridloom.market.microgrid.profiles import read_profile, read_profiles


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def load(tmp_path):
    return write(tmp_path / "load.csv", "hour,ann,bob\n8,1.5,0.0004\n7,2,3\n")


def test_rows_are_put_in_order_and_energy_in_whole_wh(load):
    profile = read_profile(load)
    assert profile.hours == (7, 8)
    assert profile.energy == ((2_000, 3_000), (1_500, 0))


@pytest.mark.parametrize(
    "text",
    [
        "7,1\n8,2\n",
        "\ufeffhour,user1\n7,1\n8,2\n",
        "hour,user1\r\n7,1\r\n8,2\r\n",
        'h,u\n\n"7", 1 \n8,2.000\n\n,\n',
    ],
)
def test_headings_blank_lines_and_line_ends_do_not_matter(tmp_path, text):
    profile = read_profile(write(tmp_path / "load.csv", text))
    assert (profile.hours, profile.energy) == ((7, 8), ((1_000,), (2_000,)))


@pytest.mark.parametrize(
    ("text", "row", "column", "says"),
    [
        ("hour,ann,bob\n7,1,x\n", 2, "3 (bob)", "'x' is not a number"),
        ("hour,ann\n7,\n", 2, "2 (ann)", "is empty"),
        ("hour,ann\n7,nan\n", 2, "2 (ann)", "'nan' is not a number"),
        ("hour,ann\n7,inf\n", 2, "2 (ann)", "'inf' is not a number"),
        ("hour,ann\n7,1\n8,-0.5\n", 3, "2 (ann)", "-0.5 kWh is negative"),
        ("hour,ann\n7,1e99\n", 2, "2 (ann)", "more than 1000000000 kWh"),
        ("7,1\n8,x\n", 2, "2", "'x' is not a number"),
        ("hour,ann\n7,1\nx,1\n", 3, "1 (hour)", "'x' is not an hour"),
        ("hour,ann\n7.5,1\n", 2, "1 (hour)", "not a whole hour"),
        ("hour,ann\n-1,1\n", 2, "1 (hour)", "'-1' is not an hour"),
        ("hour,ann\n7,1\n7,1\n", 3, "1", "hour 7 is there twice"),
        ("hour,ann\n7,1,2\n", 2, None, "has 3 columns, not 2"),
        ("hour,ann\n\n7\n", 3, None, "has 1 columns, not 2"),
        ("hour\n7\n", 1, None, "no column after the hour"),
        ("hour,ann,bob,ann\n7,1,2,3\n", 1, "4", "'ann' is there twice"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_column(tmp_path, text, row, column, says):
    path = write(tmp_path / "generation.csv", text)
    with pytest.raises(ProfileError) as caught:
        read_profile(path)
    assert (caught.value.file, caught.value.row) == (str(path), row)
    assert caught.value.column == column
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}, row {row}")


@pytest.mark.parametrize("text", ["", "\n\n", "hour,ann\n"])
def test_a_file_without_numbers_is_refused(tmp_path, text):
    with pytest.raises(ProfileError, match="has no row of numbers"):
        read_profile(write(tmp_path / "load.csv", text))


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path):
    with pytest.raises(ProfileError, match=r"load.csv: does not exist"):
        read_profiles(tmp_path)
    (tmp_path / "load.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="is no CSV text"):
        read_profiles(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hour,ann\n7,1\n8,1\n", r"generation.csv: has 1 users, .*load.csv has 2"),
        ("hour,a,b\n7,1,1\n", r"generation.csv: has no row for hour 8 of .*load.csv"),
        ("hour,a,b\n7,1,1\n8,1,1\n9,1,1\n", r"load.csv: has no row for hour 9 of .*generation"),
    ],
)
def test_both_files_must_speak_of_the_same_users_and_hours(tmp_path, load, text, says):
    write(tmp_path / "generation.csv", text)
    with pytest.raises(ProfileError, match=says):
        read_day(tmp_path)


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("hour,bob,ann\n7,1,2\n8,3,4\n", ((2_000, 1_000), (4_000, 3_000))),
        ("hour,pv1,pv2\n7,1,2\n8,3,4\n", ((1_000, 2_000), (3_000, 4_000))),
        ("hour,bob,carl\n7,1,2\n8,3,4\n", ((1_000, 2_000), (3_000, 4_000))),
        ("7,1,2\n8,3,4\n", ((1_000, 2_000), (3_000, 4_000))),
    ],
    ids=["other order", "other names", "one name of two", "no heading"],
)
def test_users_of_the_same_names_belong_together_else_those_in_the_same_place(
    tmp_path, load, text, generation
):
    write(tmp_path / "generation.csv", text)
    scenario = read_day(tmp_path)
    assert scenario.load == ((2_000, 3_000), (1_500, 0))
    assert scenario.generation == generation


def test_the_papers_day_has_five_users_in_twelve_hours():
    scenario = paper_day()
    assert (scenario.hours, scenario.users) == (tuple(range(7, 19)), (1, 2, 3, 4, 5))
    assert scenario.net(7) == (9_670, 3_980, -3_000, -7_080, -3_580)
    roles = [scenario.role_attribute(user) for user in scenario.users]
    assert roles == ["SU", "SU", "BU", "BU", "BU"]
