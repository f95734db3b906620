"""Real services for development and tests, on loopback. Nothing here runs in production."""
