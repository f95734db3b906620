"""
What a line of the log is made of: when, how grave, who says what; the release, the request or
task, and the numbers of what it is about. It names no people (`codebar.discretion`).
"""

from __future__ import annotations

import logging
import re

import structlog
from django.conf import settings
from structlog.typing import EventDict, Processor

from codebar import discretion

# As our lines say it: "entry 12 could not be composed", "settled slot 3".
NUMBERED = re.compile(r"\b(audit|chapter|entry|log|member|slot|workshop) (\d+)\b")


def formatter(*, as_json: bool) -> logging.Formatter:
    """For a handler of `LOGGING`: one object of JSON a line, or the same to be read by people."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            name_release,
            name_numbers,
            structlog.processors.format_exc_info,
            name_nobody,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _JSON if as_json else as_text,
        ],
    )


def name_release(_logger: object, _method: str, line: EventDict) -> EventDict:
    line["release"] = settings.RELEASE
    return line


def name_numbers(_logger: object, _method: str, line: EventDict) -> EventDict:
    """The numbers that the sentence names, to look for: `entry_id`, `log_id`."""
    for what, number in NUMBERED.findall(str(line["event"])):
        line.setdefault(f"{what}_id", int(number))
    return line


def name_nobody(_logger: object, _method: str, line: EventDict) -> EventDict:
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = discretion.hidden(value)
    return line


def as_text(_logger: object, _method: str, line: EventDict) -> str:
    """The sentence with its time and grade, then whatever else is known, then what broke."""
    first = [line.pop(key) for key in ("at", "level", "logger", "event")]
    broke = line.pop("exception", "")
    rest = [f"{key}={value}" for key, value in sorted(line.items())]
    sentence = " ".join([first[0], first[1].upper(), *first[2:], *rest])
    return f"{sentence}\n{broke}" if broke else sentence


_JSON: Processor = structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
