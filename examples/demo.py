"""The demonstration: three requests of different shape over different kinds of source, each with its closure and verdict."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ASKED = [
    ("total of paid orders per month in 2025", ["orders.csv"]),
    ("the 3 customers with the highest total spend, with their city", ["shop.sqlite"]),
    ("how many requests per status in the access log, most first", ["access.log"]),
]


def main() -> int:
    """Ask each request with the embedded default; the first that is not answered ends it with its exit code."""
    with tempfile.TemporaryDirectory(prefix="tars-demo-") as home:
        environment = {**os.environ, "TARS_HOME": home, "TARS_NOW": "2026-04-01", "TARS_MODEL": "builtin"}
        for request, sources in ASKED:
            options = [part for name in sources for part in ("--source", str(HERE / name))]
            shown = " ".join(f"--source examples/{name}" for name in sources)
            print(f'\n$ tars ask "{request}" {shown} --explain', flush=True)
            done = subprocess.run(
                [sys.executable, "-m", "synth", "ask", request, *options, "--explain"], env=environment, check=False
            )
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
