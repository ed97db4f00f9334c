"""The databases of the hostile world: a table that is granted, one that is not, and what else an attacker would like to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.sandbox.hostile.world import World
from tests.services import Server

_ORDERS = "INSERT INTO orders VALUES (1, 'a', 2), (2, 'b', 3)"


def open_files(world: World) -> None:
    """SQLite and DuckDB, each in a file of the world's folder."""
    import sqlite3

    import duckdb

    planted = f"INSERT INTO secrets VALUES (1, '{world.canary}')"
    path = world.folder / "shop.sqlite"
    lite = sqlite3.connect(path)
    lite.executescript(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INT);"
        "CREATE TABLE secrets (id INTEGER PRIMARY KEY AUTOINCREMENT, word TEXT); CREATE VIEW peek AS SELECT * FROM secrets;"
        f"{_ORDERS}; {planted};"
    )
    lite.close()
    world.open_sql("sqlite", str(path), _bytes_of(path))
    path = world.folder / "shop.duckdb"
    duck = duckdb.connect(str(path))
    duck.execute(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INT); CREATE TABLE secrets (id INT, word TEXT);"
        f"CREATE VIEW peek AS SELECT * FROM secrets; CREATE SEQUENCE counter; CREATE SCHEMA private; {_ORDERS}; {planted};"
        "CREATE TABLE private.orders AS SELECT * FROM secrets"
    )
    duck.close()
    world.open_sql("duckdb", str(path), _bytes_of(path))


def open_postgres(world: World, server: Server) -> None:
    """PostgreSQL, read by a superuser whose password is the canary: nothing but the wall keeps it from what it asks."""
    import psycopg

    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE hostile")
    connection = world.closing.enter_context(psycopg.connect(server.url("hostile"), autocommit=True))
    for statement in (
        "CREATE TABLE orders (id INT PRIMARY KEY, customer TEXT, total INT)", _ORDERS,
        "CREATE TABLE secrets (id INT, word TEXT)", f"INSERT INTO secrets VALUES (1, '{world.canary}')",
        "CREATE SCHEMA private", "CREATE TABLE private.orders AS SELECT word FROM secrets",
        "CREATE VIEW peek AS SELECT * FROM secrets", "CREATE SEQUENCE counter",
        "CREATE FUNCTION leak() RETURNS TEXT LANGUAGE sql SECURITY DEFINER AS 'SELECT word FROM secrets'",
        "CREATE FUNCTION leak_row(orders) RETURNS TEXT LANGUAGE sql SECURITY DEFINER AS 'SELECT word FROM secrets'",
        "CREATE FUNCTION tilde(INT, INT) RETURNS TEXT LANGUAGE sql AS 'SELECT word FROM secrets'",
        "CREATE OPERATOR ~~~ (LEFTARG = INT, RIGHTARG = INT, FUNCTION = tilde)",
        f"CREATE ROLE planted SUPERUSER LOGIN PASSWORD '{world.canary}'",
    ):  # fmt: skip
        connection.execute(statement)  # type: ignore[arg-type,unused-ignore]  # psycopg asks for literal texts

    def state() -> object:
        return connection.execute(
            "SELECT (SELECT sum(total) FROM orders), (SELECT count(*) FROM pg_class), (SELECT last_value FROM counter),"
            " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), (SELECT count(*) FROM pg_largeobject_metadata)"
        ).fetchone()

    world.open_sql("postgres", server.url("hostile", "planted", world.canary), state)
    # The handle's secrets are sought at a source that has one.
    world.sources["handle"] = world.sources["sql_postgres"]


def open_mysql(world: World, server: Server) -> None:
    """MariaDB, as the user who may do everything."""
    import pymysql

    connection = world.closing.enter_context(
        pymysql.connect(host="127.0.0.1", port=server.port, user="tars", password="s3cret-pw", autocommit=True)
    )
    cursor = connection.cursor()
    statements: Sequence[str] = (
        "CREATE DATABASE hostile", "USE hostile", "CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(50), total INT)",
        _ORDERS, "CREATE TABLE secrets (id INT, word VARCHAR(50))", f"INSERT INTO secrets VALUES (1, '{world.canary}')",
        "CREATE VIEW peek AS SELECT * FROM secrets", "CREATE SEQUENCE counter",
        "CREATE FUNCTION leak() RETURNS VARCHAR(50) READS SQL DATA RETURN (SELECT word FROM secrets LIMIT 1)",
    )  # fmt: skip
    for statement in statements:
        cursor.execute(statement)

    def state() -> object:
        cursor.execute(
            "SELECT (SELECT sum(total) FROM orders), (SELECT count(*) FROM information_schema.tables WHERE table_schema = 'hostile')"
        )
        return cursor.fetchone()

    world.open_sql("mysql", server.url("hostile"), state)


def _bytes_of(path: Path) -> Callable[[], object]:
    return lambda: path.read_bytes()
