"""Answers about chapters and their workshops."""

from chapters.models import Role, Sponsor, Workshop


def host_of(workshop: Workshop) -> Sponsor | None:
    """The venue, or nothing where there is none yet."""
    row = workshop.workshop_sponsors.filter(is_host=True).select_related("sponsor").first()
    return row.sponsor if row else None


def capacity(workshop: Workshop, *, host: Sponsor | None, role: Role) -> int:
    """
    How many people of this role can come.

    A call has the workshop's own numbers, an evening has the venue's seats (planner's rule).
    """
    if workshop.is_virtual:
        return workshop.student_spaces if role == Role.STUDENT else workshop.coach_spaces
    if host is None:
        return 0
    return host.seats if role == Role.STUDENT else host.spaces_for_coaches
