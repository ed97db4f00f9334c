"""Wordings that once were read wrongly, or might be: what each is understood to mean, or why it is turned down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from synth.request import Refusal, Request, Task, ValueMatch
from synth.schema import Field, Relation, Schema, Table
from synth.understand import understand
from synth.understand.chatter import without_chatter

NOW = datetime(2024, 7, 15, 12, tzinfo=UTC)


def _field(name: str, kind: str = "string", distinct: int = 0, values: int = 100, least: object = None) -> Field:
    return Field(name, kind, values=values, distinct=distinct or values, least=least)


def _words(name: str, *vocabulary: str, nulls: int = 0, values: int = 100) -> Field:
    return Field(name, "string", values=values, nulls=nulls, distinct=len(vocabulary), vocabulary=vocabulary)


ORDERS = Table(
    "orders",
    (
        _field("id", "int64"),
        _field("customer", distinct=20),
        _words("city", "Berlin", "Paris", "Oslo"),
        _words("status", "paid", "open", "cancelled"),
        _words("coupon", "VIP10", "SPRING", nulls=60),
        _field("amount", "decimal128(10, 2)"),
        _field("qty", "int64", distinct=9),
        _field("vip", "bool", distinct=2),
        _field("placed_at", "timestamp[us]"),
        _field("due", "date32[day]"),
    ),
    100,
)
SALES = Table(
    "sales",
    (
        _field("id", "int64"),
        _field("count", "int64", distinct=30),
        _field("average", "double"),
        _field("number", "int64", distinct=50),
        _field("total", "double"),
        _words("city", "Berlin", "Paris"),
        _words("status", "paid", "open"),
        _field("date", "date32[day]"),
    ),
    100,
)
SHOP = Schema(
    (
        Table(
            "customers",
            (_field("id", "int64", values=50), _field("name", values=50), _words("city", "Berlin", "Paris", values=50)),
            50,
            ("id",),
        ),
        Table(
            "orders",
            (
                _field("id", "int64"),
                _field("customer_id", "int64", 40),
                _field("total", "double"),
                _words("status", "paid", "open"),
                _field("placed_at", "timestamp[us]"),
            ),
            100,
            ("id",),
        ),
    ),
    (Relation("orders", ("customer_id",), "customers", ("id",), True),),
)
CARS = Schema(
    (
        Table(
            "cars",
            (
                _field("car_id", values=12),
                _field("model", values=12),
                _words("category", "van", "luxury", "compact", values=12),
                _words("fuel", "electric", "petrol", values=12),
            ),
            12,
            ("car_id",),
        ),
        Table(
            "rentals",
            (
                _field("rental_id", "int64"),
                _field("car_id", distinct=11),
                _field("rented_on", "date32[day]"),
                _field("days", "int64", distinct=6),
                _field("price", "decimal128(10, 2)"),
            ),
            100,
            ("rental_id",),
        ),
    ),
    (Relation("rentals", ("car_id",), "cars", ("car_id",), True),),
)
WEATHER = Table(
    "weather",
    (
        _words("station", "Bergen", "Sofia", "Geneva"),
        _field("date", "date32[day]", distinct=90),
        _field("tmin", "double", distinct=70),
        _field("tmax", "double", distinct=70),
        _field("rain_mm", "double", distinct=50, least=0.0),
        _words("sky", "fog", "rain", "clear"),
    ),
    100,
)
NESTED = Schema(
    (
        Table(
            "orders",
            (
                _field("order_id", "int64"),
                _field("customer.name", distinct=80),
                _words("customer.address.city", "Berlin", "Paris"),
                _words("customer.plan", "business", "free"),
                _field("features.area_m2", "int64"),
            ),
            100,
        ),
        Table("orders_lines", (_field("order_id", "int64", 100, 300), _field("qty", "int64", 9, 300)), 300),
    ),
    (Relation("orders_lines", ("order_id",), "orders", ("order_id",), True),),
)
SCHEMAS = {
    "orders": Schema((ORDERS,)),
    "sales": Schema((SALES,)),
    "shop": SHOP,
    "cars": CARS,
    "weather": Schema((WEATHER,)),
    "nested": NESTED,
    "months": Schema((Table("m", (_field("product"), _field("Jan", "int64"), _field("Feb", "int64")), 100),)),
    "sheets": Schema(tuple(Table(q, (_field("region"), _field("sales", "int64")), 100) for q in ("Q1", "Q2"))),
    "letters": Schema((Table("nan", (_field("a", "int64"), _field("b", "double")), 100),)),
    "zips": Schema((Table("zips", (_words("zip", "01234", "10115"), _field("people", "int64")), 100),)),
    "tags": Schema((Table("tags", (_field("v", "int64"), _field("tags", "list<item: string>")), 100),)),
    "euro": Schema((Table("kunden", (_field("Betrag (EUR)", "decimal128(10, 2)"), _field("Straße")), 100),)),
    "clients": Schema((Table("clients", (_field("name"), _field("since", "date32[day]")), 100),)),
    "places": Schema((Table("places", (_words("city", "Rome", "Price"), _field("price", "int64")), 100),)),
}
ELSEWHERE = (ValueMatch("orders", "city", "Valletta", False),)

READ = [
    # columns called like aggregates
    (
        "sales",
        "total of paid sales per month",
        "sum of total per month of date where status is paid, by month of date, lowest first",
    ),
    ("sales", "sales with a total of at least 1500", "8 columns of sales where total >= 1500.0"),
    ("sales", "total per city", "sum of total per city"),
    ("sales", "number of sales per city", "number of rows per city"),
    ("sales", "sales with count over 5", "8 columns of sales where count > 5"),
    ("sales", "highest total", "highest total"),
    ("sales", "average total per status", "average of total per status"),
    ("orders", "count and amount per city", "number of rows, sum of amount per city"),
    ("shop", "status and total of orders above 900", "status, total of orders where total > 900.0"),
    # the thing that is asked for is the group; what comes with it is a column
    (
        "shop",
        "the 3 customers with the highest total spend, with their city",
        "sum of orders.total per customers.name and customers.city, by sum of orders.total, highest first, the first 3",
    ),
    ("shop", "ids of customers in Berlin", "id of customers where city is Berlin"),
    ("shop", "ids and totals of orders of customers in Paris", "orders.id, orders.total where customers.city is Paris"),
    (
        "orders",
        "amount of the 3 largest orders, with their customer",
        "amount, customer of orders, by amount, highest first, the first 3",
    ),
    ("orders", "ids of the orders of customers in Berlin", "id of orders where city is Berlin"),
    ("orders", "open orders by customers in Paris", "10 columns of orders where status is open and city is Paris"),
    (
        "orders",
        "customers per city, at least 10",
        "number of different customer per city, only groups where number of different customer >= 10",
    ),
    (
        "orders",
        "cities with more than 50 orders but less than 80",
        "number of rows per city, only groups where number of rows > 50 and number of rows < 80",
    ),
    (
        "orders",
        "how much did each customer spend in 2023?",
        "sum of amount per customer where placed_at >= 2023-01-01 and placed_at < 2024-01-01",
    ),
    (
        "orders",
        "customers who spent more than 5000 in total",
        "sum of amount per customer, only groups where sum of amount > 5000",
    ),
    ("orders", "how many orders used a coupon", "number of rows where coupon is not empty"),
    (
        "orders",
        "number of orders per city, top 2",
        "number of rows per city, by number of rows, highest first, the first 2",
    ),
    # days, months and kinds that are ranked
    (
        "orders",
        "top 3 days by total amount",
        "sum of amount per day of placed_at, by sum of amount, highest first, the first 3",
    ),
    (
        "orders",
        "the month with the most orders",
        "number of rows per month of placed_at, by number of rows, highest first, the first 1 with ties",
    ),
    (
        "weather",
        "the 3 days with the lowest tmin in Sofia",
        "lowest tmin per day of date where station is Sofia, by lowest tmin, lowest first, the first 3",
    ),
    (
        "weather",
        "hottest day in Bergen",
        "highest tmax per day of date where station is Bergen, by highest tmax, highest first, the first 1 with ties",
    ),
    (
        "weather",
        "station with the lowest tmin",
        "lowest tmin per station, by lowest tmin, lowest first, the first 1 with ties",
    ),
    ("weather", "days without rain in Sofia", "different date of weather where rain_mm is 0 and station is Sofia"),
    ("weather", "how many foggy days did each station have", "number of different date per station where sky is fog"),
    (
        "orders",
        "for each city, the customer with the highest total amount",
        "sum of amount per city and customer, by sum of amount, highest first, the first 1 of each city",
    ),
    (
        "cars",
        "for each category give me the model with the highest total price",
        "sum of rentals.price per cars.category and cars.model, by sum of rentals.price, highest first, the first 1 of each cars.category",
    ),
    (
        "cars",
        "most rented model",
        "number of rows per cars.model, by number of rows, highest first, the first 1 with ties",
    ),
    (
        "cars",
        "cars that were never rented",
        "cars.car_id, cars.model, cars.category, cars.fuel, cars that have no rentals",
    ),
    ("cars", "rentals longer than 7 days", "rental_id, car_id, rented_on, days, price of rentals where days > 7"),
    ("cars", "electric vs petrol: average price", "average of rentals.price per cars.fuel"),
    ("orders", "top 3 by amount: city and amount", "city, amount of orders, by amount, highest first, the first 3"),
    ("orders", "top 3 cities by amount", "sum of amount per city, by sum of amount, highest first, the first 3"),
    ("orders", "cities by number of orders", "number of rows per city, by number of rows, highest first"),
    # conditions
    ("orders", "number of orders due before 2026-02-01", "number of rows where due < 2026-02-01"),
    ("orders", "number of orders in March 2024 by due", "number of rows where due >= 2024-03-01 and due < 2024-04-01"),
    ("orders", "orders where amount is negative", "10 columns of orders where amount < 0"),
    (
        "orders",
        "orders placed between 10 and 20 June 2024",
        "10 columns of orders where placed_at >= 2024-06-10 and placed_at < 2024-06-21",
    ),
    ("orders", "orders with more qty than 3", "10 columns of orders where qty > 3"),
    ("orders", "orders with 5 qty", "10 columns of orders where qty is 5"),
    ("orders", "average amount of vip vs non-vip orders", "average of amount per vip"),
    ("orders", "how many rows where city is valletta", "number of rows where city is Valletta"),
    ("clients", "clients since 2020", "name, since of clients where since >= 2020-01-01"),
    ("zips", "people where zip is 01234", "people of zips where zip is 01234"),
    ("zips", "rows with zip 01234", "zip, people of zips where zip is 01234"),
    ("places", "city and price of places over 100", "city, price of places where price > 100"),
    ("places", "places in Price", "city, price of places where city is Price"),
    # names spelled in peculiar ways
    ("nested", "number of orders per customer city", "number of rows per customer.address.city"),
    ("nested", "total qty per customer city", "sum of orders_lines.qty per orders.customer.address.city"),
    ("nested", "median area_m2 of business orders", "median of features.area_m2 where customer.plan is business"),
    ("euro", "total of Betrag (EUR)", "sum of Betrag (EUR)"),
    ("months", "sum of jan", "sum of Jan"),
    ("sheets", "total sales of Q1", "sum of sales"),
    ("letters", "sum of a", "sum of a"),
    ("letters", "a and b", "a, b of nan"),
    # what is said around it
    (
        "orders",
        "Hi! Quick one: how many paid orders last week? Thanks!",
        "number of rows where status is paid and placed_at >= 2024-07-08 and placed_at < 2024-07-15",
    ),
    ("orders", "For my slides I need the average amount per city, if that's possible", "average of amount per city"),
    ("orders", "which cities do we have orders from?", "different city of orders"),
]

REFUSED = [
    ("sales", "total sales per city", "ambiguous"),
    ("orders", "the 3 customers with the highest amount, with their city", "ambiguous"),
    ("orders", "number of orders by placed_at", "ambiguous"),
    ("orders", "how many products were sold?", "not-understood"),
    ("orders", "how many customers ordered more than 10 times", "cannot-answer"),
    ("orders", "average monthly amount per city", "cannot-answer"),
    ("orders", "amount per qty per vip type status", "not-understood"),
    ("orders", "orders with more than 10 sick days", "not-understood"),
    ("orders", "number of tickets for the project", "not-understood"),
    ("orders", "can you tell me whether order 5 was paid?", "not-understood"),
    ("weather", "average temperature per station", "ambiguous"),
    ("tags", "number of rows per tags", "cannot-answer"),
    ("sheets", "how many rows?", "ambiguous"),
    ("nested", "orders per customer type", "not-understood"),
    ("cars", "how many cars do we have per price", "cannot-answer"),
]


def _ask(where: str, request: str) -> object:
    def find(words: str) -> Sequence[ValueMatch]:
        return [m for m in ELSEWHERE if m.value.casefold() == words.casefold()]

    return understand(Task(Request(request, NOW), SCHEMAS[where], "table", "duckdb", "csv", find))


@pytest.mark.parametrize(("where", "request_text", "reading"), READ)
def test_it_is_read_as_meant(where: str, request_text: str, reading: str) -> None:
    answer = _ask(where, request_text)

    assert getattr(answer, "reading", answer) == reading


@pytest.mark.parametrize(("where", "request_text", "rule"), REFUSED)
def test_it_is_turned_down(where: str, request_text: str, rule: str) -> None:
    answer = _ask(where, request_text)

    assert isinstance(answer, Refusal), answer
    assert answer.rule == rule


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "Hello there, could you please tell me the number of orders? Many thanks in advance :)",
            "the number of orders",
        ),
        ("I was wondering which readers never borrowed a book", "which readers never borrowed a book"),
        ("My boss wants to know the revenue per month for the board meeting", "the revenue per month"),
        ("number of tickets for the project", "number of tickets for the project"),
        ("total per report", "total per report"),
        ("please", "please"),
    ],
)
def test_wrapping_is_set_aside_and_nothing_else(said: str, left: str) -> None:
    assert without_chatter(said, {"order"}) == left


def test_a_purpose_that_is_called_like_the_data_is_kept() -> None:
    assert without_chatter("number of pages for the report", {"report", "page"}) == "number of pages for the report"


def test_a_view_gives_way_to_the_table_it_shows() -> None:
    view = Table("big", (_field("customer_id", "int64", 40), _field("total", "double")), comment="view")
    customers, orders = SHOP.tables
    schema = Schema((view, customers, orders), SHOP.relations)

    answer = understand(Task(Request("total per customer name", NOW), schema, "table", "duckdb", "sqlite"))

    assert getattr(answer, "reading", answer) == "sum of orders.total per customers.name"


def test_a_birth_is_no_date_of_what_was_done() -> None:
    people = Table(
        "people", (_field("name"), _field("birth_date", "date32[day]"), _field("joined", "date32[day]")), 100
    )

    answer = understand(Task(Request("people in March 2024", NOW), Schema((people,)), "table", "duckdb", "csv"))

    assert "joined >= 2024-03-01" in getattr(answer, "reading", "")
    assert date(2024, 3, 1) in [v.value for v in answer.plan.values()]  # type: ignore[union-attr]  # a refusal has no reading
