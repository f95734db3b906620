"""What `bin/bench` runs. See README.md."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from bench import services
from codebar.local import signals


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure sending.")
    parser.add_argument(
        "--quick", action="store_true", help="in less than 3 minutes: without 100,000"
    )
    parser.add_argument("--tiny", action="store_true", help="only to see that all pieces work")
    parser.add_argument("--only", metavar="ROW", help="rows whose name begins so; writes no file")
    parser.add_argument("--load", action="store_true", help="pages while a large batch leaves")
    parser.add_argument(
        "--import", action="store_true", dest="arriving", help="arriving from planner, at two sizes"
    )
    parser.add_argument(
        "--million", nargs="?", type=int, const=1_000_000, metavar="MEMBERS",
        help="the ledger alone, with so many members in 500 chapters; writes no file",
    )  # fmt: skip
    arguments = parser.parse_args()
    signals.exit_when_asked()
    began_at = time.monotonic()
    with services.running() as folder:
        _measure(arguments, folder)
    print(f"It took {time.monotonic() - began_at:.0f} s.")


def _measure(arguments: argparse.Namespace, folder: Path) -> None:
    # Models can be imported only now.
    from bench import arriving, load_report, million, table, town

    if arguments.million:
        million.simulate(arguments.million)
    elif arguments.load:
        load_report.tell(folder, town.TINY if arguments.tiny else town.FULL)
    elif arguments.arriving:
        arriving.tell(arriving.TINY if arguments.tiny else arriving.FULL)
    else:
        sizes = table.TINY if arguments.tiny else table.QUICK if arguments.quick else table.FULL
        table.measure(folder, sizes, only=arguments.only)


if __name__ == "__main__":
    main()
