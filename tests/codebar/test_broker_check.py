"""R27: `check --deploy` names a broker that would throw bells away."""

from __future__ import annotations

from pathlib import Path

import pytest

from codebar.local import ports
from codebar.local.valkey import BROKER, CACHE, Valkey
from invitations import checks


def found() -> list[str]:
    return [str(message.msg) for message in checks.the_broker_keeps_what_it_was_given()]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (BROKER, []),
        (CACHE, ["The broker throws bells away when its memory is full (allkeys-lru)."]),
    ],
    ids=["keeps", "evicts"],
)
def test_a_broker_that_evicts_is_named(tmp_path: Path, settings, policy, said):
    with Valkey(tmp_path / "broker", port=ports.pick(), policy=policy) as valkey:
        settings.BROKER_URL = valkey.url

        assert found() == said


def test_one_that_does_not_answer_is_not_known(settings):
    settings.BROKER_URL = f"redis://127.0.0.1:{ports.pick()}/0"

    assert found() == []
