"""
How gunicorn serves, wherever it is started, and that its lines are lines of the log like any other.

Threads, so that somebody on a slow line holds up one of twelve and not one of three. PORT, where
a platform sets it, is gunicorn's own.
"""

from codebar.settings import LOGGING as logconfig_dict  # noqa: N811 -- gunicorn's name for it
from codebar.settings import env

__all__ = [
    "control_socket_disable",
    "graceful_timeout",
    "keepalive",
    "logconfig_dict",
    "threads",
    "workers",
]

workers = env.int("WEB_CONCURRENCY", default=3)
threads = env.int("WEB_THREADS", default=4)
graceful_timeout = 30  # seconds to answer what was asked before SIGTERM; less than any grace period
keepalive = 75  # seconds; longer than a proxy's, so that none sends into a line just closed
control_socket_disable = True  # it would be a file in a home that nobody has
