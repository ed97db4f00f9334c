"""The local sandbox for a user without rights: its tests once more, run by nobody."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from sandbox.docker_link import NOBODY
from tests.sandbox.test_local import as_nobody

ROOT = Path(__file__).parents[2]
MODULES = ("test_local", "test_local_hostile", "test_local_limits", "test_local_query", "test_stop")


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run as an ordinary user already")
def test_the_tests_of_the_local_sandbox_pass_for_an_ordinary_user() -> None:
    command = as_nobody(NOBODY)
    if command is None:
        pytest.skip("no interpreter that an ordinary user may read")
    files = [f"tests/sandbox/{name}.py" for name in MODULES]
    with tempfile.TemporaryDirectory(prefix="tars-nobody-", dir="/tmp") as folder:
        os.chown(folder, NOBODY, NOBODY)
        options = ["-n", "0", "-p", "no:cacheprovider", "--basetemp", f"{folder}/base"]

        done = subprocess.run(
            [*command, "-m", "pytest", *options, *files],
            cwd=ROOT, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    # What only root can try is left out: how namespaces are missed, and becoming nobody.
    told = re.search(r"(\d+) passed, 2 skipped", done.stdout)
    assert told is not None, done.stdout[-500:]
    assert int(told[1]) > 250
