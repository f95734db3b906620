"""
Is the web process on this machine ready? Exit code 0, or 1 and a line that says why not.

The health check of the image and of docker-compose.yml. It stands apart from the package, since
it is asked every few seconds and nothing of Django is needed.
"""

import os
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen


def main() -> None:
    """Ask `/readyz` as members' browsers do, by the name of SITE_URL, and over plain HTTP."""
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
    known_as = urlsplit(os.environ["SITE_URL"]).netloc
    try:
        with urlopen(Request(address, headers={"Host": known_as}), timeout=5):
            pass
    except OSError as error:
        sys.exit(f"{address}: {error}")


if __name__ == "__main__":
    main()
