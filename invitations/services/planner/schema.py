"""
What of planner's schema is read: every table by name, with its columns.

Rails keeps moments without a zone; they are converted where they are read (`source.py`). `NEWEST`
is the version of planner's schema that was looked at; a later one may mean something else.
"""

from __future__ import annotations

NEWEST = 20260806000000

# Without these it is no planner at all.
MAIN_TABLES = ("schema_migrations", "members", "chapters", "groups", "subscriptions", "workshops")

COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "members": "id name surname pronouns email about_you dietary_restrictions"
        " other_dietary_restrictions how_you_found_us how_you_found_us_other_reason accepted_toc_at"
        " received_coach_welcome_email received_student_welcome_email created_at updated_at",
        "auth_services": "id member_id provider uid created_at",
        "tags": "id name",
        "taggings": "id tag_id taggable_type taggable_id context",
        "chapters": "id name email city description slug active time_zone created_at",
        "groups": "id chapter_id name description created_at",
        "subscriptions": "id member_id group_id created_at",
        "permissions": "id name resource_type resource_id",
        "members_permissions": "member_id permission_id",
        "sponsors": "id name website description accessibility_info seats number_of_coaches"
        " created_at",
        "addresses": "id sponsor_id flat street postal_code city directions",
        "contacts": "id sponsor_id name surname email mailing_list_consent comment created_at",
        "bans": "id member_id added_by_id reason note explanation expires_at permanent created_at",
        "member_notes": "id member_id author_id note created_at",
        "attendance_warnings": "id member_id sent_by_id created_at",
        "eligibility_inquiries": "id member_id sent_by_id created_at",
        "workshops": "id chapter_id date_and_time ends_at rsvp_opens_at rsvp_closes_at invitable"
        " virtual coach_spaces student_spaces slack_channel slack_channel_link description"
        " created_at updated_at",
        "workshop_sponsors": "id workshop_id sponsor_id host",
        "workshop_invitations": "id workshop_id member_id role attending attended token tutorial"
        " note rsvp_time automated_rsvp last_overridden_by_id reminded_at created_at updated_at",
        "waiting_lists": "id invitation_id auto_rsvp created_at",
        "invitation_logs": "id loggable_type loggable_id initiator_id chapter_id audience action"
        " status started_at completed_at error_message created_at",
        "invitation_log_entries": "id invitation_log_id member_id status failure_reason"
        " processed_at created_at",
        "member_email_deliveries": "id member_id created_at",
        "feedback_requests": "id member_id workshop_id token submited created_at",
        "feedbacks": "id workshop_id coach_id tutorial_id rating request suggestions created_at",
        "tutorials": "id title",
    }.items()
}

# Rails' own tables, which say nothing about anybody.
OF_RAILS = ("schema_migrations", "ar_internal_metadata")
