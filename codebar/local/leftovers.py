"""
Processes that outlived the one that started them, since it was killed and could not stop them.
"""

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

# Children inherit it, however often they fork, so that we find exactly ours.
MARK = "CODEBAR_STARTED_FOR"


def mark(folder: Path) -> dict[str, str]:
    """The variable by which `marked` finds a process again, and its children."""
    return {MARK: str(folder)}


def marked(folder: Path) -> list[psutil.Process]:
    """Whoever was started with `mark(folder)`, or by somebody who was."""
    return _all(lambda process: process.environ().get(MARK) == str(folder))


def working_in(folder: Path) -> list[psutil.Process]:
    """Whoever has `folder`, or one below it, as working directory."""
    return _all(lambda process: Path(process.cwd()).is_relative_to(folder.resolve()))


def stop(processes: Iterable[psutil.Process], *, patience: float = 20) -> None:
    """Ask each to end, and kill what has not after `patience` seconds."""
    asked = list(processes)
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(asked, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)


def _all(is_wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _is(is_wanted, process)
    ]


def _is(wanted: Callable[[psutil.Process], bool], process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error, OSError):  # gone meanwhile, or somebody else's
        return wanted(process)
    return False
