"""Reading the environment: whatever is missing or malformed stops the start, by name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_KINDS = {int: "whole number", float: "number"}
_YES_AND_NO = {"true", "yes", "on", "1", "false", "no", "off", "0"}


class Variables(environ.Env):  # type: ignore[misc]
    """django-environ, with the name of the variable in every complaint, and never its value."""

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,
    ) -> Any:
        if default is self.NOTSET and not self.ENVIRON.get(var, "").strip():
            raise ImproperlyConfigured(f"Set {var}; .env.example says what it is.")
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var} must be a {_KINDS[cast]}.") from error

    def switch(self, var: str) -> bool:
        """On or off; off where it is not set."""
        words = self.str(var, default="off").strip().lower()
        if words not in _YES_AND_NO:
            raise ImproperlyConfigured(f"{var} must be on or off.")
        return words in self.BOOLEAN_TRUE_STRINGS

    def address(self, var: str, *schemes: str) -> str:
        """
        An address such as `scheme://host:port/path`.

        :raises ImproperlyConfigured: when its scheme is another one, or it names no host
        """
        address: str = self.str(var)
        try:
            parts = urlsplit(address)
            is_usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable:
            wanted = " or ".join(f"{scheme}://…" for scheme in schemes)
            raise ImproperlyConfigured(f"{var} must look like {wanted}")
        return address

    def address_if_set(self, var: str, *schemes: str) -> str:
        """As `address`, or nothing where it is not set."""
        return self.address(var, *schemes) if self.str(var, default="").strip() else ""


def instance_of(address: str) -> tuple[str | None, int]:
    """Host and port of a Redis; its numbered databases share one memory."""
    parts = urlsplit(address)
    return parts.hostname, parts.port or 6379
