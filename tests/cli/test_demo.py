"""gridloom demo: what it refuses before anything is traded."""


def test_a_bad_cell_is_named_and_nothing_is_written(run, tmp_path):
    (tmp_path / "load.csv").write_text("hour,ann,bob\n7,1,2\n")
    (tmp_path / "generation.csv").write_text("hour,ann,bob\n7,1,much\n")
    outcome = run("demo --data . --out report")
    assert (outcome.status, outcome.out) == (1, "")
    assert "generation.csv, row 2, column 3 (bob): 'much' is not a number" in outcome.err
    assert not (tmp_path / "report").exists()


def test_a_report_cannot_go_where_a_file_is(run, tmp_path):
    (tmp_path / "report").write_text("mine")
    outcome = run("demo --out report")
    assert outcome.status == 2
    assert "'report' is a file" in outcome.err
    assert not outcome.out  # no table: nothing was traded
    assert (tmp_path / "report").read_text() == "mine"
