"""
An SMTP server that keeps every letter it accepts as one file.

    python -m codebar.local.mailcatcher --port 1025 --directory .local/mail
"""

import argparse
import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from codebar.local import leftovers
from codebar.local.paths import CHECKOUT
from codebar.local.ports import LOOPBACK
from codebar.local.service import Service, accepts_connections, launch

ARRIVAL = itertools.count(1)  # two letters may arrive in one tick of the clock


class MailCatcher(Service):
    """The catcher as a service. `directory` is where the letters are; they stay when it stops."""

    name = "The mail catcher"

    @property
    def url(self) -> str:
        return f"smtp://{LOOPBACK}:{self.port}"

    @property
    def _log(self) -> Path:
        return self.directory.with_suffix(".log")  # beside the letters, not among them

    def _stop_leftover(self) -> None:
        leftovers.stop(leftovers.marked(self.directory))

    def _launch(self, log: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "codebar.local.mailcatcher"]
        return launch(
            [*command, "--port", str(self.port), "--directory", str(self.directory)],
            log=log,
            env=os.environ | leftovers.mark(self.directory) | {"PYTHONPATH": str(CHECKOUT)},
        )

    def _answers(self) -> bool:
        return accepts_connections(self.port)


class Letters:
    """Keeps each accepted letter in `directory` as one `.eml`. Names sort by arrival."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def handle_DATA(  # noqa: N802 -- aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """The answer to the final dot. It is "yes" once the letter can be seen."""
        name = f"{time.time_ns():020d}-{next(ARRIVAL):06d}"
        half_written = self._directory / f"{name}.part"
        half_written.write_bytes(_envelope_headers(envelope) + (envelope.original_content or b""))
        half_written.rename(self._directory / f"{name}.eml")
        return f"250 Kept as {name}.eml"


async def serve(*, port: int, directory: Path) -> None:
    """Catch letters until SIGTERM or SIGINT."""
    directory.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    letters = Letters(directory)
    server = await loop.create_server(
        lambda: SMTP(letters, enable_SMTPUTF8=True, loop=loop), LOOPBACK, port
    )
    await stopped.wait()
    server.close()


def _envelope_headers(envelope: Envelope) -> bytes:
    headers = [
        f"X-Envelope-From: {envelope.mail_from}",
        *(f"X-Envelope-To: {to}" for to in envelope.rcpt_tos),
    ]
    return "".join(f"{header}\r\n" for header in headers).encode()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(port=arguments.port, directory=arguments.directory))


if __name__ == "__main__":
    main()
