"""How an alert is said."""

from __future__ import annotations

from django import template

from logs.services import alerts

register = template.Library()


register.filter("title", alerts.title)
register.filter("sentence", alerts.sentence)
