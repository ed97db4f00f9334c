"""Every style of paging is worked out against a real server, and its end proved or the doubt told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from synth.errors import SourceProblem
from synth.source import OpenOptions
from synth.sources.http_client import Client
from synth.sources.pagination import Collection, Ending, find_items
from tests import servers
from tests.servers import Answer, Asked, Route, serving

ITEMS = servers.orders(47)
ROUND = servers.orders(40)


def read(
    route: Route, most_pages: int = 100, path: str = "/api/orders"
) -> tuple[list[Mapping[str, object]], Ending, Collection]:
    with serving({path: route}) as server:
        client = Client(server.url(path), OpenOptions(timeout_seconds=5))
        collection = Collection(client.get, client.url, "orders", most_pages=most_pages)
        walk = collection.walk()
        items = [item for page in walk for item in page]
        client.close()
    return list(items), walk.ending, collection


@pytest.mark.parametrize(
    ("route", "kind", "words"),
    [
        (servers.numbered(ITEMS, 10), "page", "the last page is short (7 of 10)"),
        (servers.numbered(ROUND, 10), "page", "the last page is empty"),
        (servers.numbered(ROUND, 10, past="404"), "page", "there is no page 5 (404)"),
        (servers.numbered(ITEMS, 10, name="p"), "page", "the last page is short"),
        (servers.numbered(ITEMS, 10, name="page_number"), "page", "the last page is short"),
        (servers.numbered(ITEMS, 10, first=0), "page", "the last page is short"),
        (servers.numbered(servers.orders(20), 10, first=0), "page", "the last page is empty"),
        (servers.numbered(servers.orders(10), 10), "page", "the last page is empty"),
        (servers.numbered(ITEMS, 10, envelope="total"), "page", "the API's total says 47"),
        (servers.numbered(ITEMS, 10, envelope="total", first=0), "page", "the API's total says 47"),
        (servers.numbered(ITEMS, 10, envelope="pages"), "page", "the API tells 5 pages"),
        (servers.numbered(ITEMS, 10, envelope="more"), "page", "the last page says that it is the last"),
        (servers.numbered(ROUND, 10, envelope="header"), "page", "the API's total says 40"),
        (servers.numbered(ITEMS, 10, envelope="spring", first=0), "page", "the API's total says 47"),
        (servers.offset(ITEMS, 10), "offset", "the last page is short"),
        (servers.offset(ROUND, 10), "offset", "the last page is empty"),
        (servers.offset(ITEMS, 10, name="skip"), "offset", "the last page is short"),
        (servers.offset(ITEMS, 10, name="start"), "offset", "the last page is short"),
        (servers.offset(ITEMS, 10, name="startIndex", first=1, total=True, echo=True), "offset", "the API's total says 47"),
        (servers.offset(ITEMS, 10, total=True), "offset", "the API's total says 47"),
        (servers.offset(ROUND, 10, echo=True), "offset", "the last page is empty"),
        (servers.cursor(ITEMS, 10), "cursor", "the last page names no next one"),
        (servers.cursor(ITEMS, 10, key="cursor", within="meta"), "cursor", "the last page names no next one"),
        (servers.cursor(ITEMS, 10, key="after", within="paging.cursors", name="after"), "cursor", "names no next one"),
        (servers.cursor(ITEMS, 10, key="continuationToken", name="continuationToken"), "cursor", "names no next one"),
        (servers.cursor(ITEMS, 10, key="nextPageToken", name="pageToken"), "cursor", "names no next one"),
        (servers.cursor(ITEMS, 10, key="next", within="meta", name="cursor"), "cursor", "names no next one"),
        (servers.cursor(ITEMS, 10, more=True), "cursor", "the last page says that it is the last"),
        (servers.next_url(ITEMS, 10), "next", "the last page names no next one"),
        (servers.next_url(ITEMS, 10, relative=True), "next", "the last page names no next one"),
        (servers.next_url(ITEMS, 10, way="links.next"), "next", "the last page names no next one"),
        (servers.next_url(ITEMS, 10, way="_links.next.href"), "next", "the last page names no next one"),
        (servers.next_url(ITEMS, 10, way="@odata.nextLink"), "next", "the last page names no next one"),
        (servers.link_header(ITEMS, 10), "next", "the last page names no next one"),
        (servers.after_id(ITEMS, 10), "after", "the last page says that it is the last"),
        (servers.whole(ITEMS), "single", "the whole collection comes in one body"),
    ],
)  # fmt: skip
def test_every_style_is_worked_out_and_proved(route: Route, kind: str, words: str) -> None:
    items, ending, collection = read(route)

    assert collection.worked_out().kind == kind
    assert [item["id"] for item in items] == list(range(1, len(items) + 1))
    assert len(items) == ending.items
    assert len(items) in (47, 40, 20, 10)
    assert ending.proved, ending.reason
    assert words in ending.reason


@pytest.mark.parametrize("count", [0, 1, 7, 10, 11, 20, 30])
@pytest.mark.parametrize("style", ["page", "offset", "cursor", "next", "link"])
def test_no_size_of_collection_is_misread(style: str, count: int) -> None:
    items = servers.orders(count)
    route = {
        "page": servers.numbered(items, 10),
        "offset": servers.offset(items, 10),
        "cursor": servers.cursor(items, 10),
        "next": servers.next_url(items, 10),
        "link": servers.link_header(items, 10),
    }[style]

    got, ending, _ = read(route)

    assert len(got) == count
    assert ending.proved, ending.reason


def test_a_round_number_without_any_proof_is_doubted() -> None:
    items, ending, _ = read(servers.whole(servers.orders(100)))

    assert len(items) == 100
    assert not ending.proved
    assert "exactly 100 items came" in ending.reason


def test_a_round_number_with_a_total_is_proved() -> None:
    items, ending, _ = read(lambda asked: Answer({"items": servers.orders(100), "total": 100}))

    assert ending.proved
    assert ending.reason == "1 page, 100 items; the API's total says 100"
    assert len(items) == 100


def test_a_null_next_proves_a_round_number() -> None:
    _, ending, _ = read(lambda asked: Answer({"results": servers.orders(100), "next": None, "previous": None}))

    assert ending.proved
    assert "no next page" in ending.reason


def test_a_server_that_ignores_its_page_parameter_is_doubted() -> None:
    def route(asked: Asked) -> Answer:
        return Answer({"data": servers.orders(10), "page": 1, "total": 50})

    items, ending, _ = read(route)

    assert len(items) == 10
    assert not ending.proved
    assert "50" in ending.reason


def test_items_that_tell_the_moment_do_not_make_pages_without_end() -> None:
    moment = iter(range(10_000))

    items, ending, _ = read(lambda asked: Answer([{"id": n, "fetched": next(moment)} for n in range(7)]))

    assert len(items) == 7
    assert ending.proved, ending.reason


@pytest.mark.parametrize("key", ["next", "next_page", "nextPage"])
def test_the_next_pages_number_in_the_body_is_followed(key: str) -> None:
    def route(asked: Asked) -> Answer:
        number = asked.number("page", 1)
        page = list(ITEMS[(number - 1) * 10 : number * 10])
        return Answer({"data": page, "pagination": {key: number + 1 if number < 5 else None, "count": len(page)}})

    items, ending, _ = read(route)

    assert len(items) == 47
    assert ending.proved, ending.reason


def test_a_token_called_offset_is_a_cursor() -> None:
    def route(asked: Asked) -> Answer:
        start = int(asked.query.get("offset", "itr0")[3:])
        told = {"offset": f"itr{start + 10}"} if start + 10 < 47 else {}
        return Answer({"records": list(ITEMS[start : start + 10]), **told})

    items, ending, _ = read(route)

    assert len(items) == 47
    assert ending.proved, ending.reason


def test_a_server_that_takes_no_unknown_parameter_is_still_paged() -> None:
    inner = servers.offset(ITEMS, 10, name="skip")

    def route(asked: Asked) -> Answer:
        return Answer({"detail": "unknown parameter"}, 422) if set(asked.query) - {"skip", "limit"} else inner(asked)

    items, ending, _ = read(route)

    assert len(items) == 47
    assert ending.proved, ending.reason


def test_counts_of_each_page_are_no_total() -> None:
    def route(asked: Asked) -> Answer:
        number = asked.number("page", 1)
        page = list(ITEMS[(number - 1) * 10 : number * 10])
        return Answer({"count": len(page), "results": page})

    items, ending, _ = read(route)

    assert len(items) == 47
    assert ending.proved, ending.reason


def test_a_server_that_stays_on_its_last_page_is_doubted() -> None:
    items, ending, _ = read(servers.numbered(ROUND, 10, past="clamp"))

    assert len(items) == 40
    assert not ending.proved
    assert "same items" in ending.reason


def test_a_circle_of_pages_is_a_loop() -> None:
    items, ending, _ = read(servers.looping(ITEMS, 10))

    assert len(items) == 30
    assert not ending.proved
    assert "loop" in ending.reason


def test_the_same_cursor_again_is_a_loop() -> None:
    def route(asked: Asked) -> Answer:
        start = 0 if "cursor" not in asked.query else 10
        return Answer({"data": list(ITEMS[start : start + 10]), "next_cursor": "always"})

    items, ending, _ = read(route)

    assert len(items) == 20
    assert not ending.proved
    assert "loop" in ending.reason


def test_an_endless_api_stops_at_the_cap() -> None:
    items, ending, _ = read(servers.endless(), most_pages=12)

    assert len(items) == 60
    assert not ending.proved
    assert "cap of 12 pages" in ending.reason


def test_pages_that_overlap_give_no_item_twice_and_are_doubted() -> None:
    items, ending, _ = read(servers.overlapping(ITEMS, 10))

    ids = [item["id"] for item in items]
    assert len(ids) == len(set(ids))
    assert not ending.proved
    assert "came on two pages" in ending.reason


def test_a_total_that_disagrees_is_told() -> None:
    def route(asked: Asked) -> Answer:
        number = asked.number("page", 1)
        return Answer({"data": list(ITEMS[(number - 1) * 10 : number * 10]), "total": 60, "page": number})

    items, ending, _ = read(route)

    assert len(items) == 47
    assert not ending.proved
    assert "total says 60, and 47 items came" in ending.reason


def test_a_cursor_that_no_parameter_takes_is_told() -> None:
    items, ending, _ = read(servers.cursor(ITEMS, 10, name="secret_parameter"))

    assert len(items) == 10
    assert not ending.proved
    assert "gives a cursor" in ending.reason


def test_a_walk_left_early_is_not_proved() -> None:
    with serving({"/o": servers.numbered(ITEMS, 10)}) as server:
        client = Client(server.url("/o"), OpenOptions())
        walk = Collection(client.get, client.url).walk()

        first = next(iter(walk))

        assert len(first) == 10
        assert not walk.ending.proved
        client.close()


def test_a_next_page_on_another_host_is_refused() -> None:
    def route(asked: Asked) -> Answer:
        return Answer({"results": ITEMS[:10], "next": "http://169.254.169.254/latest/meta-data"})

    with pytest.raises(SourceProblem) as problem:
        read(route)

    assert problem.value.reason == "redirected"


def test_a_page_that_fails_names_its_number() -> None:
    inner = servers.numbered(ITEMS, 10, envelope="total")

    def route(asked: Asked) -> Answer:
        return inner(asked) if asked.number("page", 1) != 3 else Answer("<html><title>Oops</title></html>", 400)

    with pytest.raises(SourceProblem, match="page 3 of orders"):
        read(route)


@pytest.mark.parametrize(
    ("body", "count", "place"),
    [
        ([{"id": 1}, {"id": 2}], 2, ()),
        ({"data": [{"id": 1}]}, 1, ("data",)),
        ({"status": "ok", "response": {"orders": [{"id": 1}, {"id": 2}], "tags": ["a"]}}, 2, ("response", "orders")),
        ({"_embedded": {"orders": [{"id": 1}]}, "_links": {"self": {"href": "/o"}}}, 1, ("_embedded", "orders")),
        ({"orders": [{"id": 1}], "errors": [], "warnings": [{"w": 1}]}, 1, ("orders",)),
        ({"data": {"a": {"n": 1}, "b": {"n": 2}}}, 2, ("data",)),
        ({"berlin": {"n": 1, "m": 2}, "paris": {"n": 2, "m": 1}}, 2, ()),
        ({"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, 1, ()),
        ({"temperature": 21.5, "unit": "C"}, 1, ()),
        (["a", "b", "c"], 3, ()),
        ([["name", "n"], ["x", 1], ["y", 2]], 2, ()),
        ({"data": [], "total": 0}, 0, ("data",)),
        ({"results": [], "facets": [{"f": 1}]}, 0, ("results",)),
        ({"type": "FeatureCollection", "features": [{"id": 1, "properties": {}}]}, 1, ("features",)),
        ({"resourceType": "Bundle", "link": [{"relation": "next", "url": "/x"}], "entry": [{"r": 1}]}, 1, ("entry",)),
    ],
)
def test_items_are_found_wherever_they_are(body: object, count: int, place: tuple[str, ...]) -> None:
    found = find_items(body)

    assert (len(found.items), found.place) == (count, place)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(SourceProblem, match="no such customer"):
        find_items({"error": {"code": 17, "message": "no such customer"}})
