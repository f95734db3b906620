"""Loopback ports: is one free, and which one to take."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the range from which systems hand out ports to outgoing connections: a service that is down
# for a moment cannot lose its port to a client, least of all to a client that connects to itself
# while it waits.
POOL = range(15_000, 30_000)


def is_free(port: int) -> bool:
    """Whether a server could listen at `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def pick(preferred: int | None = None) -> int:
    """`preferred` when it is free, else any free port."""
    if preferred is not None and is_free(preferred):
        return preferred
    return next(port for port in random.sample(POOL, len(POOL)) if is_free(port))


def next_free(first: int) -> int:
    """The first free port from `first` on."""
    return next(port for port in range(first, 65_536) if is_free(port))
