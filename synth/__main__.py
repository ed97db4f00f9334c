"""The first step of the `tars` command: from here on Ctrl-C ends quietly, also while the rest is still being loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Load and run the command."""
    try:
        from synth.cli import main as command

        command()
    except KeyboardInterrupt:
        print("tars: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
