"""Names of test cases, the same in every process: pytest-xdist compares what each one collects."""

from __future__ import annotations


def case(value: object) -> str:
    """Of fields of a model their names alone, since moments among their values differ."""
    return ", ".join(value) if isinstance(value, dict) else str(value)
