"""The Raft log on the disk: what survives a crash, and what is noticed."""

import errno
import os
import random
from pathlib import Path

import pytest

from gridloom.orderer.etcdraft.write_ahead_log import (
    CorruptLog,
    Disk,
    LogWriteFailed,
    MemoryLog,
    Record,
    RecordLog,
    WriteAheadLog,
)

RECORDS = [Record(number % 4, os.urandom(100 * number)) for number in range(1, 8)]


@pytest.fixture(params=["memory", "file"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> RecordLog:
    return MemoryLog() if request.param == "memory" else WriteAheadLog(tmp_path / "raft" / "log")


def written(path: Path) -> WriteAheadLog:
    log = WriteAheadLog(path)
    for record in RECORDS:
        log.append([record])
    log.close()
    return log


def test_records_come_back_in_their_order(log: RecordLog) -> None:
    log.append(RECORDS[:3])
    log.append(RECORDS[3:])
    assert list(log.read()) == RECORDS


def test_replacing_forgets_what_was_there(log: RecordLog) -> None:
    log.append(RECORDS)
    log.replace(RECORDS[-1:])
    log.append(RECORDS[:1])
    assert list(log.read()) == [RECORDS[-1], RECORDS[0]]


def test_a_log_opened_again_goes_on(tmp_path: Path) -> None:
    written(tmp_path / "log")
    log = WriteAheadLog(tmp_path / "log")
    log.append([Record(1, b"more")])
    assert list(WriteAheadLog(tmp_path / "log").read()) == [*RECORDS, Record(1, b"more")]


def test_a_write_cut_short_anywhere_costs_only_itself(tmp_path: Path) -> None:
    written(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    last = len(RECORDS[-1].content)
    for missing in (1, 4, 5, last // 2, last, last + 8):
        path = tmp_path / f"cut{missing}"
        path.write_bytes(whole[:-missing])
        log = WriteAheadLog(path)
        assert list(log.read()) == RECORDS[:-1]
        log.append([RECORDS[-1]])
        assert list(WriteAheadLog(path).read()) == RECORDS


def test_a_write_whose_sectors_never_reached_the_disk_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = WriteAheadLog(path)
    log.append([Record(1, b"first")])
    end = path.stat().st_size
    log.append([Record(2, os.urandom(5000))])
    log.close()
    data = bytearray(path.read_bytes())
    data[end + 1024 - end % 512 : end + 2048 - end % 512] = bytes(1024)
    path.write_bytes(data)
    assert list(WriteAheadLog(path).read()) == [Record(1, b"first")]


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_is_noticed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "log"
    written(path)
    data = bytearray(path.read_bytes())
    position = random.Random(seed).randrange(len(data))
    data[position] ^= 1 << seed % 8
    path.write_bytes(data)
    with pytest.raises(CorruptLog) as caught:
        WriteAheadLog(path)
    assert caught.value.path == path
    assert caught.value.offset <= position


def test_a_record_lost_from_the_middle_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = WriteAheadLog(path)
    ends = []
    for record in RECORDS:
        ends.append(path.stat().st_size)
        log.append([record])
    data = path.read_bytes()
    path.write_bytes(data[: ends[2]] + data[ends[3] :])
    with pytest.raises(CorruptLog):
        WriteAheadLog(path)


def test_another_file_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("something else entirely")
    with pytest.raises(CorruptLog, match="no Raft log"):
        WriteAheadLog(tmp_path / "log")


class Failing:
    """A disk that fails when told to, at the write or at the sync, after some bytes."""

    def __init__(self) -> None:
        self.at = ""

    def write(self, fd: int, data: memoryview) -> int:
        if self.at == "write":
            os.write(fd, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        if self.at == "sync":
            raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("at", ["write", "sync"])
def test_after_a_failed_write_the_log_is_made_anew(tmp_path: Path, at: str) -> None:
    path, disk = tmp_path / "log", Failing()
    log = WriteAheadLog(path, Disk(disk.write, disk.sync))
    log.append(RECORDS[:2])
    disk.at = at
    with pytest.raises(LogWriteFailed) as caught:
        log.append(RECORDS[2:3])
    assert caught.value.error.errno in {errno.ENOSPC, errno.EIO}
    with pytest.raises(LogWriteFailed):
        log.replace(RECORDS[:3])
    disk.at = ""
    log.replace(RECORDS[:3])
    log.append(RECORDS[3:])
    assert list(WriteAheadLog(path).read()) == RECORDS
    assert [each.name for each in tmp_path.iterdir()] == ["log"]
