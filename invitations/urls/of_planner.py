"""
Planner's other addresses, which stand in old letters, in bookmarks and on other people's sites.

What moved leads on; what is not part of this site says so, with a way to what is.
"""

from django.urls import path
from django.views.generic import RedirectView

from invitations.views import of_planner
from invitations.views.of_planner import Gone

MOVED = {
    "register": "account_signup",
    "logout": "account_logout",
    "auth/failure": "account_login",
    "member/step2": "subscriptions",
    "coaches": "volunteer",
    "sponsors": "volunteer",
    # An organiser's bookmarks
    "admin/guide": "runbook",
    "admin/contacts": "sponsors",
    "admin/sponsors/<int:sponsor_id>/edit": "sponsor_edit",
    "admin/members/search": "members",
    "admin/member-search": "members",
    "admin/member-search/index": "members",
    "admin/member-search/results": "members",
    "admin/members/<int:member_id>/events": "member",
    "admin/members/<int:member_id>/bans/new": "member_ban",
    "admin/chapters/status": "chapters",
    "admin/chapters/<int:chapter_id>/members": "subscribers",
}

# Both with and without what stands behind a slug: an invitation's token, or "attend".
GONE = {
    "events/<str:slug>": Gone.EVENT,
    "events/<str:slug>/<path:rest>": Gone.EVENT,
    "meetings/<str:slug>": Gone.EVENT,
    "meetings/<str:slug>/<path:rest>": Gone.EVENT,
    "contact_preferences": Gone.COMPANY,
    "mailing_lists": Gone.NEWSLETTER,
    "my/jobs/new": Gone.PAGE,
    "payments": Gone.PAGE,
    "admin/announcements": Gone.PAGE,
    "admin/announcements/<path:rest>": Gone.PAGE,
    "admin/events/<path:rest>": Gone.PAGE,
    "admin/meetings/<path:rest>": Gone.PAGE,
    "admin/groups/<path:rest>": Gone.PAGE,
    "admin/feedback": Gone.PAGE,
    "admin/testimonials": Gone.PAGE,
}

urlpatterns = [
    path("feedback/<str:token>/submit", of_planner.feedback, name="old_feedback"),
    path(
        "admin/chapters/<int:chapter_id>/workshops",
        of_planner.workshops_of_chapter,
        name="workshops_of_chapter",
    ),
    *[
        path(old, RedirectView.as_view(pattern_name=new, query_string=True), name="moved")
        for old, new in MOVED.items()
    ],
    *[path(old, of_planner.gone, {"what": what}, name="gone") for old, what in GONE.items()],
]
