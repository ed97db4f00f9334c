"""What `tars doctor` tells about the sandboxes."""

from __future__ import annotations

from sandbox.probes import probes, real_sandboxes


def test_the_local_sandbox_is_attacked_and_holds() -> None:
    found = {probe.name: probe for probe in probes("local")}

    optional = {"has Landlock", "has a control group"}
    assert len(found) >= 15
    assert [probe for name, probe in found.items() if not probe.held and name not in optional] == []
    assert "cannot open a socket" in found
    assert found["ends an endless loop"].detail == "wall_seconds"


def test_a_sandbox_that_is_not_there_says_so() -> None:
    (probe,) = probes("moon")

    assert not probe.held
    assert "no sandbox called 'moon'" in probe.detail


def test_the_scripted_one_is_not_probed() -> None:
    assert "scripted" not in real_sandboxes()
    assert "local" in real_sandboxes()
