"""The audit of everything; that of one workshop stands beside its logs."""

from django.urls import path

from invitations.views import auditing

urlpatterns = [
    path("audit", auditing.audits, name="audits"),
    path("audit/run", auditing.audit_now, name="audit_now"),
    path("workshops/<int:workshop_id>/audit", auditing.workshop_audit, name="workshop_audit"),
]
