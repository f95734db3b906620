"""What `bin/bench` runs. See README.md."""

from __future__ import annotations

import argparse
import time

from bench import services
from codebar.local import signals


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure sending.")
    parser.add_argument("--quick", action="store_true", help="in under 3 minutes: without 100,000")
    parser.add_argument("--tiny", action="store_true", help="only to see that all pieces work")
    parser.add_argument("--only", metavar="ROW", help="rows whose name begins so; writes no file")
    parser.add_argument(
        "--million", nargs="?", type=int, const=1_000_000, metavar="MEMBERS",
        help="the ledger alone, with so many members in 500 chapters; writes no file",
    )  # fmt: skip
    arguments = parser.parse_args()
    signals.exit_when_asked()
    began_at = time.monotonic()
    with services.running() as folder:
        from bench import million, table  # models can be imported only now

        if arguments.million:
            million.simulate(arguments.million)
        else:
            sizes = table.TINY if arguments.tiny else table.QUICK if arguments.quick else table.FULL
            table.measure(folder, sizes, only=arguments.only)
    print(f"It took {time.monotonic() - began_at:.0f} s.")


if __name__ == "__main__":
    main()
