"""Chapters: their groups, subscribers, organisers and figures."""

from django.urls import path

from invitations.views import chapters, grouping, leading

urlpatterns = [
    path("chapters", chapters.chapters, name="chapters"),
    path("chapters/new", chapters.chapter_new, name="chapter_new"),
    path("chapters/<int:chapter_id>", chapters.chapter, name="chapter"),
    path("chapters/<int:chapter_id>/edit", chapters.chapter_edit, name="chapter_edit"),
    path("chapters/<int:chapter_id>/history", chapters.chapter_history, name="chapter_history"),
    path("chapters/<int:chapter_id>/groups", grouping.chapter_groups, name="chapter_groups"),
    path(
        "chapters/<int:chapter_id>/groups/<int:group_id>",
        grouping.chapter_group,
        name="chapter_group",
    ),
    path(
        "chapters/<int:chapter_id>/groups/<int:group_id>/delete",
        grouping.chapter_group_delete,
        name="chapter_group_delete",
    ),
    path("chapters/<int:chapter_id>/subscribers", grouping.subscribers, name="subscribers"),
    path(
        "chapters/<int:chapter_id>/groups/<int:group_id>/remove/<int:member_id>",
        grouping.subscriber_remove,
        name="subscriber_remove",
    ),
    path(
        "chapters/<int:chapter_id>/organisers",
        leading.chapter_organisers,
        name="chapter_organisers",
    ),
    path(
        "chapters/<int:chapter_id>/organisers/<int:member_id>/remove",
        leading.chapter_organiser_remove,
        name="chapter_organiser_remove",
    ),
]
