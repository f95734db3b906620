"""A request to stop, as an exception: what was started with `with` is stopped on the way out."""

import signal
import subprocess
from collections.abc import Mapping
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_when_asked() -> None:
    """
    From here on SIGINT, SIGTERM and SIGHUP raise SystemExit, once: nothing interrupts the stopping.
    """
    for number in STOPPING:
        signal.signal(number, _exit)


def ignore() -> None:
    """From here on nobody interrupts."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def wait(
    process: subprocess.Popen[bytes], *, pass_on: Mapping[signal.Signals, signal.Signals]
) -> int:
    """
    The exit code of `process`, as a shell would give it. A request to stop that comes meanwhile
    does not stop us: `pass_on` says what the process gets instead, if anything.
    """

    def hand_over(number: int, _frame: FrameType | None) -> None:
        if number in pass_on:
            process.send_signal(pass_on[signal.Signals(number)])

    for number in STOPPING:
        signal.signal(number, hand_over)
    code = process.wait()
    ignore()
    return code if code >= 0 else 128 - code


def _exit(number: int, _frame: FrameType | None) -> None:
    ignore()
    raise SystemExit(128 + number)
