"""What a long command shows while it works."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]


@contextmanager
def progress(title: str, *, total: int) -> Iterator[Advance]:
    """
    A function to call with how many more are done.

    It moves a bar on a terminal and writes a plain line for every tenth elsewhere; both on
    standard error, so that a result on standard output stays clean.
    """
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield _lines(console, title, total=total)
        return
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda more: bar.advance(task, more)


def _lines(console: Console, title: str, *, total: int) -> Advance:
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        tenths_before = done * 10 // total
        done += more
        if done * 10 // total > tenths_before:
            line = f"{title}: {done} of {total}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    return advance
