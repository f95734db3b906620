"""Whether everything works, what to do where it does not, and letters in doubt."""

from django.urls import path

from invitations.views import doubts, operations

urlpatterns = [
    path("operations", operations.operations, name="operations"),
    path("runbook", operations.runbook, name="runbook"),
    path("delivery/in-doubt", doubts.in_doubt, name="in_doubt"),
    path("delivery/in-doubt/<int:entry_id>", doubts.decide, name="doubt_decide"),
    path(
        "delivery/in-doubt/logs/<int:log_id>/<str:decision>",
        doubts.decide_all,
        name="doubts_decide",
    ),
]
