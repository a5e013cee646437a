"""Batches of query results: 100 at a time with one look-ahead, or pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import GridloomError
from gridloom.peer.chaincodes.errors import ShimRequestRefused
from gridloom.peer.chaincodes.query_results import OpenQueries
from gridloom.protos.peer.chaincode_shim_pb2 import QueryResponseMetadata


class Results:
    def __init__(self, count, broken_at=None):
        self._left = iter(range(count))
        self._broken_at = broken_at
        self.pulled = 0
        self.closed = False

    def next(self):
        if self.pulled == self._broken_at:
            raise GridloomError("broken")
        found = next(self._left, None)
        self.pulled += found is not None
        return None if found is None else b"%d" % found

    def bookmark(self):
        self.close()
        return f"after {self.pulled}"

    def close(self):
        self.closed = True


def values(response):
    return [int(result.resultBytes) for result in response.results]


@pytest.mark.parametrize(
    ("count", "batch", "more", "pulled"),
    [(0, 0, False, 0), (99, 99, False, 99), (100, 100, False, 100), (101, 100, True, 101)],
)
def test_the_first_batch_pulls_one_result_more_than_it_holds(count, batch, more, pulled):
    results = Results(count)
    response = OpenQueries(100_000).open(results)
    assert (len(response.results), response.has_more, results.pulled) == (batch, more, pulled)
    assert results.closed is not more


@given(st.integers(0, 450), st.integers(1, 500))
def test_all_batches_together_are_the_first_results_up_to_the_limit(count, limit):
    results = Results(count)
    queries = OpenQueries(limit)
    response = queries.open(results)
    found = values(response)
    while response.has_more:
        assert len(response.results) == 100
        response = queries.next(response.id)
        found += values(response)
    assert found == list(range(min(count, limit)))
    assert results.pulled == len(found)
    assert results.closed


@pytest.mark.parametrize(
    ("count", "page_size", "expected"),
    [(10, 3, 3), (2, 3, 2), (250, 200, 200), (5, 0, 5), (50, 40, 40), (500, 400, 300)],
)
def test_a_page_comes_at_once_and_pulls_no_more_than_it_holds(count, page_size, expected):
    results = Results(count)
    response = OpenQueries(300).page(results, page_size)
    metadata = QueryResponseMetadata.FromString(response.metadata)
    assert (len(response.results), response.has_more) == (expected, False)
    assert metadata.fetched_records_count == results.pulled == expected
    assert metadata.bookmark == f"after {expected}"
    assert results.closed


def test_a_query_that_is_not_open_cannot_go_on_but_can_be_closed():
    queries = OpenQueries(1000)
    with pytest.raises(ShimRequestRefused, match="query iterator not found"):
        queries.next("nosuch")
    assert queries.close("nosuch").id == "nosuch"


def test_closing_ends_a_query():
    queries, results = OpenQueries(1000), Results(500)
    response = queries.open(results)
    queries.close(response.id)
    assert results.closed
    with pytest.raises(ShimRequestRefused):
        queries.next(response.id)


def test_two_open_queries_do_not_mix():
    queries = OpenQueries(1000)
    one, two = queries.open(Results(150)), queries.open(Results(250))
    assert values(queries.next(one.id)) == list(range(100, 150))
    assert values(queries.next(two.id)) == list(range(100, 200))


def test_what_breaks_on_the_way_is_closed():
    queries, results = OpenQueries(1000), Results(500, broken_at=150)
    response = queries.open(results)
    with pytest.raises(GridloomError, match="broken"):
        queries.next(response.id)
    assert results.closed
    page = Results(500, broken_at=5)
    with pytest.raises(GridloomError, match="broken"):
        queries.page(page, 10)
    assert page.closed


def test_everything_left_open_can_be_closed():
    queries, results = OpenQueries(1000), [Results(500), Results(500)]
    for each in results:
        queries.open(each)
    queries.close_all()
    assert all(each.closed for each in results)
