"""An API as a source: its tables and fields, samples, doors over samples, and what is said of completeness."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from sandbox.broker import CallRefused
from synth.detection import Detection
from synth.errors import SourceProblem
from synth.evidence import schema_of
from synth.source import OpenOptions
from synth.sources import http_api
from synth.sources.http_api import HttpSource, open_source
from tests import servers
from tests.servers import Answer, Asked, Route, Server, serving

ITEMS = servers.orders(47)
PATH = "/api/orders"


def opened(url: str, **options: Any) -> HttpSource:
    detection = Detection(url, "json_api", "api", 0.9, connector="http_api")
    return open_source(url, detection, OpenOptions(timeout_seconds=5, **options))


@pytest.fixture
def api() -> Iterator[Callable[..., HttpSource]]:
    """Opens the API that some routes make, and stops it afterwards."""
    running: list[tuple[AbstractContextManager[Server], HttpSource | None]] = []

    def start(routes: Route | Mapping[str, Route], path: str = PATH, **options: Any) -> HttpSource:
        context = serving(routes if isinstance(routes, Mapping) else {path: routes})
        server = context.__enter__()
        running.append((context, None))
        source = opened(server.url(path), **options)
        running[-1] = (context, source)
        return source

    yield start
    for context, source in running:
        if source is not None:
            source.close()
        context.__exit__(None, None, None)


def table_of_pages(source: HttpSource, path: str = "/orders") -> pa.Table:
    door: Any = source.capability
    return pa.Table.from_batches(list(door.pages(path)))


def answer(rows: pa.Table, sql: str) -> list[tuple[Any, ...]]:
    """SQL over the rows, as the sandbox runs it."""
    connection = duckdb.connect()
    connection.register("rows", rows)
    found = connection.sql(sql).fetchall()
    connection.close()
    return found


def test_items_are_flattened_and_their_text_is_typed(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))

    table = source.tables()[0]

    types = {f.name: f.type for f in table.fields}
    assert (table.name, table.path, table.rows, table.primary_key) == ("orders", "/orders", 47, ("id",))
    assert types["id"] == "int64"
    assert types["total"] == "decimal128(18, 2)"
    assert types["paid"] == "bool"
    assert types["customer.city"] == "string"
    assert types["placed_at"].startswith("timestamp[us")
    assert types["tags"] == "list<item: string>"
    assert types["zip"] == "string"
    assert table.named("customer.city").reading == "struct_extract(\"customer\", 'city')"


def test_the_readings_give_their_values_over_all_pages(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    table = source.tables()[0]
    rows = table_of_pages(source)

    reads = {f.name: f.reading or f'"{f.name}"' for f in table.fields}
    berlin = answer(rows, f"SELECT sum(total), count(*) FROM rows WHERE {reads['customer.city']} = 'Berlin'")
    march = answer(rows, f"SELECT count(*) FROM rows WHERE month(CAST({reads['placed_at']} AS TIMESTAMP)) = 3")

    expected = [Decimal(str(o["total"])) for o in ITEMS if o["customer"]["city"] == "Berlin"]  # type: ignore[index]
    assert berlin == [(sum(expected), len(expected))]
    assert march == [(sum(str(o["placed_at"])[5:7] == "03" for o in ITEMS),)]
    assert source.completeness().state == "complete"


def test_lists_of_objects_are_a_table_that_points_at_its_items(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))

    lines = source.tables()[1]
    rows = table_of_pages(source, lines.path)
    relation = source.relations()[0]

    assert (lines.name, lines.path) == ("orders_lines", "/orders#lines")
    assert rows.num_rows == 94
    assert rows.column_names == ["orders_id", "sku", "quantity"]
    assert (relation.columns, relation.to_table, relation.to_columns) == (("orders_id",), "orders", ("id",))
    told = source.completeness()
    assert (told.state, told.rows_read) == ("complete", 94)


def test_a_run_is_complete_and_says_by_what(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))

    table_of_pages(source)
    told = source.completeness()

    assert (told.state, told.rows_read) == ("complete", 47)
    assert told.reason == "orders: 5 pages, 47 items; the API's total says 47"


def test_a_run_that_stops_early_is_incomplete(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    door: Any = source.capability

    pages = door.pages("/orders")
    next(pages)
    pages.close()

    assert source.completeness().state == "incomplete"


def test_one_page_by_get_is_incomplete_and_all_pages_are_complete(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    door: Any = source.capability

    body = door.get("/orders")
    first = source.completeness()
    for number in range(1, 6):
        door.get("/orders", {"page": number})
    every = source.completeness()

    assert len(body["data"]) == 10
    assert (first.state, every.state) == ("incomplete", "complete")
    assert "only 10 of 47" in first.reason


def test_doubt_about_the_last_page_is_passed_on(api: Callable[..., HttpSource]) -> None:
    source = api(servers.whole(servers.orders(100)))

    rows = table_of_pages(source)
    told = source.completeness()

    assert rows.num_rows == 100
    assert told.state == "incomplete"
    assert "exactly 100 items came" in told.reason


def test_small_collections_are_asked_for_once(api: Callable[..., HttpSource]) -> None:
    with serving({PATH: servers.next_url(ITEMS, 10)}) as server:
        source = opened(server.url(PATH))
        source.sample(20)
        table_of_pages(source)
        table_of_pages(source)
        source.close()

        assert len(server.seen) == 5


def test_a_small_collection_is_sampled_whole(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))

    sample = source.sample(15)

    assert sample.whole == {"orders", "orders_lines"}
    assert sample.b["orders"].num_rows == 47
    assert sample.a["orders"].num_rows == 15
    assert sample.a["orders"].schema == sample.b["orders"].schema


def test_a_large_collection_is_sampled_to_its_end(api: Callable[..., HttpSource]) -> None:
    items = servers.orders(6_000)
    with serving({PATH: servers.offset(items, 50, total=True)}) as server:
        source = opened(server.url(PATH))

        sample = source.sample(100)

        assert len(server.seen) < 40
        source.close()
    ids = sample.b["orders"].column("id").to_pylist()
    assert sample.whole == frozenset()
    assert 6_000 in ids
    assert not set(ids) & set(sample.a["orders"].column("id").to_pylist())


def test_the_schema_with_evidence_is_had_from_the_sample(api: Callable[..., HttpSource]) -> None:
    source = api(servers.cursor(ITEMS, 10))

    schema = schema_of(source, source.sample(20))

    city = schema.table("orders").named("customer.city")
    assert city.vocabulary == ("Berlin", "Oslo", "Paris", "Rome")
    assert schema.table("orders").rows == 47
    assert schema.relations


def test_items_that_do_not_fit_are_set_aside_with_their_number(
    api: Callable[..., HttpSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_api, "WHOLE_PAGES", 3)
    monkeypatch.setattr(http_api, "LEARNING_PAGES", 3)
    items: list[dict[str, object]] = [{**o, "total": o["total"]} for o in servers.orders(60)]
    items[44]["total"] = "n/a"
    items[47]["placed_at"] = "soon"
    items[50]["extra"] = 1
    source = api(servers.next_url(items, 10))

    rows = table_of_pages(source)
    told = source.completeness()

    assert rows.num_rows == 58
    assert told.state == "incomplete"
    assert [(a.position, a.rule.split(" ")[0], a.value) for a in told.set_aside] == [
        (45, "total", "n/a"),
        (48, "placed_at", "soon"),
    ]
    assert "extra" in told.reason


def test_mixed_values_are_text_and_nulls_are_null(api: Callable[..., HttpSource]) -> None:
    items = [
        {"id": 1, "a": 1, "b": None, "c": {"x": 1}, "big": 2**70, "Id": "upper"},
        {"id": 2, "a": "one", "c": "text", "big": 1, "f": 1.5e10},
        {"id": 3, "a": True, "d": [], "f": 2},
    ]
    source = api(lambda asked: Answer(items))

    rows = table_of_pages(source)

    assert rows.column("a").to_pylist() == ["1", "one", "true"]
    assert rows.column("c").to_pylist() == ['{"x": 1}', "text", None]
    assert rows.column("big").to_pylist() == [Decimal(2**70), Decimal(1), None]
    assert rows.column("f").to_pylist() == [None, 1.5e10, 2.0]
    assert rows.column_names == ["id", "a", "b", "c", "big", "Id_2", "f", "d"]
    assert answer(rows, "SELECT count(*) FROM rows WHERE \"Id_2\" = 'upper'") == [(1,)]


def test_no_items_still_have_columns_in_copies(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    empty = {name: rows.slice(0, 0) for name, rows in source.sample(20).b.items()}
    door: Any = source.over(empty)

    rows = pa.Table.from_batches(list(door.pages("/orders")))

    assert rows.num_rows == 0
    assert answer(rows, "SELECT count(*), sum(total) FROM rows WHERE struct_extract(customer, 'city') = 'x'") == [
        (0, None)
    ]


# Doors over samples


@pytest.mark.parametrize(
    "route",
    [
        servers.numbered(ITEMS, 10),
        servers.numbered(ITEMS, 10, envelope="total"),
        servers.numbered(ITEMS, 10, envelope="spring", first=0),
        servers.offset(ITEMS, 10, total=True, echo=True),
        servers.cursor(ITEMS, 10, more=True),
        servers.cursor(ITEMS, 10, key="after", within="paging.cursors", name="after"),
        servers.next_url(ITEMS, 10),
        servers.next_url(ITEMS, 10, way="_links.next.href"),
        servers.link_header(ITEMS, 10),
        servers.after_id(ITEMS, 10),
    ],
)
def test_doors_over_a_sample_page_as_the_api_does(api: Callable[..., HttpSource], route: Route) -> None:
    source = api(route)
    rows = source.sample(20).b["orders"]
    door: Any = source.over({"orders": rows})

    batches = list(door.pages("/orders"))
    real: Any = source.capability
    first, of_api = door.get("/orders"), real.get("/orders")

    assert len(batches) > 2
    assert pa.Table.from_batches(batches) == rows
    assert shape(first) == shape(of_api)
    assert len(items_in(first)) < 47


@pytest.mark.parametrize(
    "route",
    [
        servers.next_url(ITEMS, 10),
        servers.next_url(ITEMS, 10, relative=True),
        servers.next_url(ITEMS, 10, way="links.next"),
    ],
)
def test_a_closure_that_follows_next_by_itself_gets_all_over_a_sample(
    api: Callable[..., HttpSource], route: Route
) -> None:
    source = api(route)
    for door in (source.capability, source.over(source.sample(20).b)):
        assert follow(door) == list(range(1, 48))


def follow(door: Any) -> list[int]:
    ids: list[int] = []
    path = "/orders"
    while path:
        body = door.get(path)
        ids += [item["id"] for item in body["results"]]
        path = body["next"] if "next" in body else body["links"]["next"]
    return ids


def test_a_closure_that_counts_pages_by_itself_gets_all_over_a_sample(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    door: Any = source.over(source.sample(20).b)

    ids: list[int] = []
    for number in range(1, 20):
        body = door.get("/orders", {"page": number})
        ids += [item["id"] for item in body["data"]]
        assert body["total"] == 47

    assert ids == list(range(1, 48))


def test_a_closure_that_follows_a_cursor_by_itself_gets_all_over_a_sample(api: Callable[..., HttpSource]) -> None:
    source = api(servers.cursor(ITEMS, 10))
    door: Any = source.over(source.sample(20).b)

    ids: list[int] = []
    token: object = None
    while True:
        body = door.get("/orders", {"cursor": token} if token else None)
        ids += [item["id"] for item in body["data"]]
        token = body["next_cursor"]
        if not token:
            break

    assert ids == list(range(1, 48))


def test_one_item_is_had_over_a_sample_by_its_key(api: Callable[..., HttpSource]) -> None:
    source = api(servers.numbered(ITEMS, 10, envelope="total"))
    door: Any = source.over(source.sample(20).b)

    assert door.get("/orders/7")["total"] == 8.75
    with pytest.raises(CallRefused) as refused:
        door.get("/orders/700")
    assert refused.value.code == "not-found"


def shape(body: object) -> object:
    """Keys of an envelope, items left out."""
    if isinstance(body, dict):
        return {k: shape(v) for k, v in body.items() if not (isinstance(v, list))} | {
            k: "list" for k, v in body.items() if isinstance(v, list)
        }
    return type(body).__name__ if isinstance(body, list) else "scalar"


def items_in(body: object) -> list[object]:
    if isinstance(body, list):
        return body
    assert isinstance(body, dict)
    return next(v for v in body.values() if isinstance(v, list))


# Collections


def test_an_index_of_links_gives_its_collections(api: Callable[..., HttpSource]) -> None:
    customers = [{"id": n, "name": f"C{n}"} for n in range(1, 8)]
    source = api(
        {
            "/api/": lambda asked: Answer(
                {"orders": f"{asked.base}/api/orders/", "customers": "/api/customers/", "docs": "/docs"}
            ),
            "/api/orders/": servers.numbered(ITEMS, 10, envelope="total"),
            "/api/customers/": servers.whole(customers),
        },
        "/api/",
    )

    tables = {t.name: t for t in source.tables()}

    assert set(tables) == {"orders", "orders_lines", "customers"}
    assert tables["customers"].path == "/customers/"
    assert table_of_pages(source, "/customers/").num_rows == 7
    assert table_of_pages(source, tables["orders"].path).num_rows == 47
    told = source.completeness()
    assert told.state == "complete"
    assert told.rows_read == 54


def test_openapi_at_its_usual_place_gives_collections(api: Callable[..., HttpSource]) -> None:
    described = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://shop.example/api/v1"}],
        "paths": {
            "/orders": {"get": {}},
            "/orders/{id}": {"get": {}},
            "/search": {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}},
            "/users": {"post": {}},
        },
    }
    source = api({"/openapi.json": lambda asked: Answer(described), "/api/v1/orders": servers.cursor(ITEMS, 10)}, "/")

    assert [t.name for t in source.tables()] == ["orders", "orders_lines"]
    assert table_of_pages(source, source.tables()[0].path).num_rows == 47


def test_an_odata_service_gives_its_entity_sets(api: Callable[..., HttpSource]) -> None:
    service = {"@odata.context": "$metadata", "value": [{"name": "Orders", "kind": "EntitySet", "url": "Orders"}]}
    source = api(
        {"/odata/": lambda asked: Answer(service), "/odata/Orders": servers.next_url(ITEMS, 10, way="@odata.nextLink")},
        "/odata/",
    )

    assert source.tables()[0].name == "Orders"
    assert table_of_pages(source, source.tables()[0].path).num_rows == 47


def test_one_object_is_one_record(api: Callable[..., HttpSource]) -> None:
    source = api(lambda asked: Answer({"station": "Dam", "temperature": 21.5}), "/api/now")

    rows = table_of_pages(source, "/now")

    assert rows.to_pylist() == [{"station": "Dam", "temperature": Decimal("21.5")}]
    assert source.completeness().state == "complete"


def test_the_addresss_own_query_is_kept(api: Callable[..., HttpSource]) -> None:
    def route(asked: Asked) -> Answer:
        kept = [o for o in ITEMS if asked.query.get("paid") != "true" or o["paid"]]
        return servers.numbered(kept, 10)(asked)

    with serving({PATH: route}) as server:
        source = opened(server.url(PATH + "?paid=true"))

        assert table_of_pages(source).num_rows == sum(bool(o["paid"]) for o in ITEMS)
        source.close()


# Refusals


@pytest.mark.parametrize(
    "path",
    [
        "/../secrets",
        "/orders/../../secrets",
        "/orders/%2e%2e/%2e%2e/secrets",
        "/orders/..%2fsecrets",
        "/customers",
        "http://evil.test/orders",
        "//evil.test/orders",
        "/orders\r\nX-Evil: 1",
        "/orders\\..\\secrets",
        "/ordersecrets",
        "/orders/%00",
        "file:///etc/passwd",
    ],
)
def test_paths_outside_the_named_one_are_refused(api: Callable[..., HttpSource], path: str) -> None:
    with serving({PATH: servers.whole(ITEMS[:7]), "*": lambda asked: Answer([{"secret": 1}])}) as server:
        source = opened(server.url(PATH))
        seen = len(server.seen)
        door: Any = source.capability

        for verb in ("get", "pages"):
            with pytest.raises(CallRefused) as refused:
                list(getattr(door, verb)(path))
            assert refused.value.code == "not-granted"

        assert len(server.seen) == seen
        source.close()


def test_paths_below_the_named_one_are_open(api: Callable[..., HttpSource]) -> None:
    source = api({PATH: servers.whole(ITEMS[:7]), "/api/orders/3/lines": servers.numbered(ITEMS, 10)})
    door: Any = source.capability

    assert len([item for page in door.pages("/orders/3/lines") for item in page]) == 47
    assert len(door.get("/orders/3/lines", {"page": 5})) == 7


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-found"), (401, "not-granted"), (403, "not-granted"), (500, "unavailable")]
)
def test_a_page_that_fails_refuses_the_call_and_is_incomplete(
    api: Callable[..., HttpSource], status: int, code: str
) -> None:
    inner = servers.cursor(ITEMS, 10)

    def route(asked: Asked) -> Answer:
        return Answer({"message": "no"}, status) if asked.query.get("cursor") == "c30" else inner(asked)

    source = api(route)

    with pytest.raises(CallRefused) as refused:
        table_of_pages(source)

    assert refused.value.code == code
    assert "page 4 of orders" in refused.value.message
    assert source.completeness().state == "incomplete"


@pytest.mark.parametrize(
    ("answer_given", "reason"),
    [
        (Answer("<title>Log in</title>", headers={"Content-Type": "text/html"}), "not-json"),
        (Answer({"m": 1}, 401), "authentication"),
        (Answer({"m": 1}, 404), "not-found"),
        (Answer({"m": 1}, 500), "server-error"),
        (Answer(""), "empty"),
        (Answer('{"a":'), "unreadable"),
        (Answer({"error": "quota"}), "server-error"),
        (Answer("", 302, {"Location": "http://127.0.0.2/x"}), "redirected"),
    ],
)
def test_what_cannot_be_opened_says_why(answer_given: Answer, reason: str) -> None:
    with serving({PATH: lambda asked: answer_given}) as server:
        with pytest.raises(SourceProblem) as problem:
            opened(server.url(PATH))

        assert problem.value.reason == reason


def test_secrets_stay_on_the_host(api: Callable[..., HttpSource]) -> None:
    inner = servers.next_url(ITEMS, 10)

    def route(asked: Asked) -> Answer:
        if asked.query.get("api_key") != "key-in-query-1" or asked.headers.get("x-shop") != "head-secret-2":
            return Answer({"message": "no"}, 401)
        return inner(asked)

    source = api(
        route,
        request="orders; the key goes into the query parameter api_key from $QUERY_KEY, and $HEAD_KEY into the header X-Shop",
        environment={"QUERY_KEY": "key-in-query-1", "HEAD_KEY": "head-secret-2"},
    )
    door: Any = source.capability

    shown = [repr(door.get("/orders")), repr(source.tables()), repr(source.sample(10).a["orders"].to_pylist())]
    rows = table_of_pages(source)

    assert rows.num_rows == 47
    assert not any("key-in-query-1" in text or "head-secret-2" in text for text in shown)


@pytest.mark.parametrize("location", ["?api_key=key-in-query-1", "?api_key=${SHOP_KEY}", "?pass=${SHOP_KEY}"])
def test_a_key_in_the_address_goes_with_every_page_and_is_shown_nowhere(location: str) -> None:
    inner = servers.next_url(ITEMS, 10)

    def route(asked: Asked) -> Answer:
        return inner(asked) if "key-in-query-1" in asked.query.values() else Answer({"message": asked.query}, 401)

    with serving({PATH: route}) as server:
        source = opened(server.url(PATH) + location, environment={"SHOP_KEY": "key-in-query-1"})
        door: Any = source.capability

        assert table_of_pages(source).num_rows == 47
        assert "key-in-query-1" not in repr(door.get("/orders"))
        source.close()
        with pytest.raises(SourceProblem) as problem:
            opened(server.url(PATH) + "?api_key=wrong-key-99&pass=wrong-key-99")
        assert "wrong-key-99" not in str(problem.value)


def test_names_with_blanks_are_reached(api: Callable[..., HttpSource]) -> None:
    source = api(servers.next_url(ITEMS, 10), "/api/my%20orders")

    assert (source.tables()[0].name, source.tables()[0].path) == ("my_orders", "/my orders")
    assert table_of_pages(source, "/my orders").num_rows == 47
