"""How many letters a sender claims at once."""

from __future__ import annotations

import pytest

from invitations.services import delivering


@pytest.mark.parametrize(
    ("pace", "letters"),
    [
        pytest.param(0.1, 1, id="never none"),
        pytest.param(5, 5, id="one second of a slow mail server"),
        pytest.param(100, 250, id="two and a half of a fast one"),
        pytest.param(1000, delivering.LARGEST_BLOCK, id="as many as a claim may lock"),
    ],
)
def test_a_block_is_seconds_of_letters(pace: float, letters: int):
    assert delivering.block_size(pace=pace) == letters
