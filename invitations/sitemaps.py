"""What search engines may read: the pages that are the same for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from chapters.models import Chapter, Workshop
from invitations.guides import GUIDES
from invitations.queries import public


class _OurSitemap(Sitemap):  # type: ignore[type-arg]  # Django's own class takes none
    """Under the address that letters name, whatever name the site was reached by."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_URL).scheme

    def get_domain(self, site: Any = None) -> str:
        return urlsplit(settings.SITE_URL).netloc


class Pages(_OurSitemap):
    def items(self) -> Sequence[str]:
        return ["home", "upcoming", "past", *(guide.name for guide in GUIDES)]

    def location(self, item: str) -> str:
        return reverse(item)


class Chapters(_OurSitemap):
    def items(self) -> QuerySet[Chapter]:
        return public.active_chapters()

    def location(self, item: Chapter) -> str:
        return reverse("chapter_page", args=[item.slug])


class Workshops(_OurSitemap):
    def items(self) -> QuerySet[Workshop]:
        return public.upcoming(at=timezone.now())

    def location(self, item: Workshop) -> str:
        return reverse("workshop", args=[item.pk])


SITEMAPS = {"pages": Pages, "chapters": Chapters, "workshops": Workshops}
