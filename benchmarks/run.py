"""All benchmarks, side by side: `python -m benchmarks.run [startup|ask|reading|overhead|throughput|memory ...]`. Prints medians and ratios.

Data is made once in TARS_BENCH_DATA (default: a folder below the temporary one) and used again.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Figure, called, process, python

if TYPE_CHECKING:
    from synth.source import Source

DATA = Path(os.environ.get("TARS_BENCH_DATA", Path(tempfile.gettempdir()) / "tars-bench"))
TARS = str(Path(sys.executable).parent / "tars")
QUERY = (
    "SELECT city, count(*) AS n, sum(total) AS total FROM {table} WHERE quantity > 2 GROUP BY city ORDER BY total DESC"
)
ASKED = "number of orders and sum of total per city where quantity is over 2"


def made(name: str, rows: int) -> Path:
    """A file of orders with so many rows."""
    import duckdb

    path = DATA / name
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        how = "(FORMAT parquet)" if path.suffix == ".parquet" else "(FORMAT csv, HEADER)"
        duckdb.execute(
            f"""COPY (SELECT i AS id, 'C' || lpad((hash(i) % 5000)::VARCHAR, 5, '0') AS customer,
            ['Berlin', 'Paris', 'Oslo', 'Porto', 'Lyon', 'Bonn'][(1 + hash(i + 1) % 6)::INT] AS city,
            (1 + hash(i + 2) % 6)::INT AS quantity,
            ((hash(i + 3) % 100000) / 100)::DECIMAL(10, 2) AS total, DATE '2024-01-01' + (hash(i + 4) % 700)::INT AS placed
            FROM range({rows}) t(i)) TO '{path}' {how}"""
        )
    return path


def startup() -> list[Figure]:
    """What a user waits for before anything happens."""
    csv = made("orders_10k.csv", 10_000)
    return [
        process("python -c pass", [sys.executable, "-c", "pass"], 9),
        process("tars --help", [TARS, "--help"], 9),
        process("tars datasource detect one file", [TARS, "datasource", "detect", str(csv), "--json"], 9),
    ]


def ask() -> list[Figure]:
    """One request over a 10 000-row CSV: a cold process, and again in a warm one."""
    from synth import actions

    csv = made("orders_10k.csv", 10_000)
    with tempfile.TemporaryDirectory() as home:
        environment = {"TARS_HOME": home, "TARS_NOW": "2026-01-01"}
        command = [TARS, "ask", ASKED, "--source", str(csv), "--json"]
        figures = [process("tars ask over 10 000 rows of CSV, cold process", command, 5, environment)]
        desk = actions.Desk({**os.environ, **environment})
        try:
            figures.append(
                called("the same in a warm process", lambda: actions.ask(desk, ASKED, [str(csv)], actions.Said()), 9)
            )
            outcome = actions.ask(desk, ASKED, [str(csv)], actions.Said())
            print("  steps of the last one, ms:", outcome.timings_ms, outcome.status)
        finally:
            desk.close()
    return figures


WRITTEN = {
    "SQL": "def closure(source):\n    yield from source.query('SELECT city, count(*) AS n, sum(total) AS total FROM orders"
    " WHERE quantity > 2 GROUP BY city')\n",
    "Python": """
def closure(source):
    counts, totals = {}, {}
    for row in source.query("SELECT city, quantity, total FROM orders"):
        if row["quantity"] is not None and row["quantity"] > 2:
            counts[row["city"]] = counts.get(row["city"], 0) + 1
            totals[row["city"]] = totals.get(row["city"], 0) + (row["total"] or 0)
    for city, count in counts.items():
        yield {"city": city, "n": count, "total": totals[city]}
""",
}


LOOP = """def closure(source):
    counts = {}
    for i in range(60000):
        key = str(i).strip()[-1:]
        counts[key] = counts.get(key, 0) + i
        counts[key] += 1
    yield counts
"""


def reading() -> list[Figure]:
    """Understanding a request over a wide table, holding a long closure against the policy, and what guards cost when it runs."""
    from datetime import UTC, datetime

    from sandbox.inside.guards import namespace
    from sandbox.policy import compile_closure, findings_of
    from synth.request import Request, Task
    from synth.schema import Field, Schema, Table
    from synth.understand import understand

    wide = [
        Field(f"measure_{n}_kind", "string", vocabulary=tuple(f"value {n} {k}" for k in range(50))) for n in range(300)
    ]
    few = [Field("total", "int64"), Field("country", "string", vocabulary=("France", "Norway"))]
    body = "".join(
        f"    v{i} = source.query('x', [{i}])\n    yield {{'a': v{i}, 'b': len(str(v{i}))}}\n" for i in range(30)
    )
    figures = []
    for name, fields in (("2 columns", few), ("302 columns of 15 000 values", [*wide, *few])):
        schema = Schema((Table("orders", tuple(fields)),))
        request = Request("total per country except Norway, highest first", datetime(2026, 1, 1, tzinfo=UTC))
        task = Task(request, schema, "table", "duckdb", "csv")
        figures.append(called(f"understand a request over {name}", lambda task=task: understand(task), 15))  # type: ignore[misc]  # bound
    numbers = itertools.count()
    figures.append(
        called(
            "policy: a closure of 60 lines",
            lambda: findings_of(f"def closure(source):\n    n = {next(numbers)}\n{body}"),
            15,
        )
    )
    guarded, plain = namespace({}), {"__builtins__": __builtins__}
    exec(compile_closure(LOOP), guarded)
    exec(compile(LOOP, "plain", "exec"), plain)
    for name, space in (("plain", plain), ("guarded", guarded)):
        closure: Any = space["closure"]
        figures.append(called(f"a loop of 60 000 turns, {name}", lambda closure=closure: list(closure(None)), 7))  # type: ignore[misc]  # bound
    return figures


def overhead() -> list[Figure]:
    """All that is not the model's own time, in a warm process: a prepared reply over 10 000 rows of CSV and of PostgreSQL."""
    from synth import actions
    from tests.services import postgres_server

    csv = made("orders_10k.csv", 10_000)
    figures = []
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        _into_postgres(csv, server.url())
        desk = actions.Desk({**os.environ, "TARS_HOME": f"{folder}/home", "TARS_NOW": "2026-01-01"})
        for way, code in WRITTEN.items():
            reply = Path(folder) / way
            reply.write_text(f"```python\n{code}```\n")
            said = actions.Said(model=f"scripted:{reply}")
            for where, source in (("CSV", f"orders={csv}"), ("PostgreSQL", server.url())):

                def once(source: str = source, said: actions.Said = said) -> None:
                    outcome = actions.ask(desk, ASKED, [source], said)
                    if outcome.status != "ok":
                        raise RuntimeError(f"{outcome.status}: {outcome.message}")

                figures.append(called(f"a model's draft in {way}, over {where}", once, 7))
        desk.close()
    return figures


def _into_postgres(csv: Path, url: str) -> None:
    import psycopg

    columns = "id bigint PRIMARY KEY, customer text, city text, quantity int, total numeric(10, 2), placed date"
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE orders ({columns})".encode())
        with cursor.copy("COPY orders FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(csv.read_bytes())


PUSHED = f"def closure(source):\n    yield from source.query({QUERY.format(table='orders')!r})\n"
ROW_BY_ROW = """
def closure(source):
    totals = {}
    for row in source.records():
        if row["quantity"] > 2:
            totals[row["city"]] = totals.get(row["city"], 0) + row["total"]
    for city, total in totals.items():
        yield {"city": city, "total": total}
"""
DLT = """
import os, sys, tempfile
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
import pyarrow.csv
import pyarrow.parquet
@dlt.resource(name="orders")
def orders():
    path = sys.argv[1]
    parquet = path.endswith(".parquet")
    yield from pyarrow.parquet.ParquetFile(path).iter_batches(50000) if parquet else pyarrow.csv.open_csv(path)
with tempfile.TemporaryDirectory() as folder:
    target = dlt.destinations.filesystem(bucket_url="file://" + folder + "/out")
    pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=target, dataset_name="o")
    pipeline.run(orders(), loader_file_format="parquet")
"""


def throughput() -> list[Figure]:
    """A closure over five million rows, beside the same SQL in plain DuckDB and plain Python outside any sandbox.

    Both sides are open and warm: what is timed is the reading. dlt reading the same file, as a process, is the peer.
    """
    import duckdb

    from sandbox.broker import Broker, Grant
    from sandbox.job import Job, Limits
    from sandbox.open import open_sandbox
    from synth.opening import open_one
    from synth.source import OpenOptions

    figures = []
    limits = Limits(wall_seconds=300, cpu_seconds=300)
    sandbox = open_sandbox()
    for name in ("orders_5m.parquet", "orders_5m.csv"):
        path = made(name, 5_000_000)
        plain = duckdb.connect()
        source = open_one(str(path), OpenOptions(name="orders"))

        def run(code: str, source: Source = source) -> None:
            result = sandbox.run(Job(code, {}, limits), Broker(source.capability, Grant()))
            if result.status != "ok":
                raise RuntimeError(f"{result.status}: {result.fault}")

        def by_sql(path: Path = path, plain: duckdb.DuckDBPyConnection = plain) -> None:
            plain.execute(QUERY.format(table=f"'{path}'")).fetchall()

        def by_rows(path: Path = path, plain: duckdb.DuckDBPyConnection = plain) -> None:
            rows = plain.execute(f"SELECT * FROM '{path}'")
            names = [column[0] for column in rows.description]
            totals: dict[str, object] = {}
            while batch := rows.fetchmany(20_000):
                for values in batch:
                    row = dict(zip(names, values, strict=True))
                    if row["quantity"] > 2:
                        totals[row["city"]] = totals.get(row["city"], 0) + row["total"]

        pairs = (
            ("plain DuckDB, the same SQL", by_sql, "closure with that SQL", lambda: run(PUSHED), 5),
            ("plain Python, row by row", by_rows, "closure, row by row", lambda: run(ROW_BY_ROW), 2),
        )
        for plain_name, plain_act, our_name, our_act, runs in pairs:
            base = called(f"{name}: {plain_name}", plain_act, runs)
            ours = called(f"{name}: {our_name}, in the sandbox", our_act, runs)
            print(f"    rate: {base.median / ours.median:.2f} of the plain one's")
            figures += [base, ours]
        source.close()
        if _has("dlt"):
            figures.append(python(f"{name}: dlt reads it into Parquet (process)", DLT, [str(path)], 1))
    sandbox.close()
    return figures


def memory() -> list[Figure]:
    """Peak memory of asking a CSV of about 100 MB and one of about 1 GB: it must not grow with the file."""
    figures = []
    with tempfile.TemporaryDirectory() as home:
        for name, rows in (("orders_2m.csv", 2_200_000), ("orders_22m.csv", 22_000_000)):
            path = made(name, rows)
            command = [TARS, "ask", ASKED, "--source", str(path), "--json"]
            label = f"tars ask over {path.stat().st_size / 1e6:.0f} MB of CSV"
            figures.append(process(label, command, 2, {"TARS_HOME": home, "TARS_NOW": "2026-01-01"}))
    return figures


def _has(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


PARTS: dict[str, Callable[[], list[Figure]]] = {
    "startup": startup,
    "ask": ask,
    "reading": reading,
    "overhead": overhead,
    "throughput": throughput,
    "memory": memory,
}


def main() -> None:
    """Run the named parts, or all."""
    for name in sys.argv[1:] or PARTS:
        print(f"\n{name}", flush=True)
        PARTS[name]()


if __name__ == "__main__":
    main()
