"""Where this checkout is, and where its services keep what they need."""

import hashlib
import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = CHECKOUT / ".local"
MANAGE = CHECKOUT / "manage.py"


def short_hash(path: Path) -> str:
    """Ten hexadecimal digits that are always the same for this path, and another's for no other."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:10]
