"""Two organisers who change the same chapter at the same moment."""

from zoneinfo import ZoneInfo

import pytest

from chapters.models import Chapter, Role
from invitations.services import founding, grouping, leading
from invitations.services.founding import Particulars
from logs.models import Activity
from tests.factories import ChapterFactory, GroupFactory, MemberFactory, organiser_of
from tests.support.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_who_remove_each_other_leave_one():
    chapter = ChapterFactory()
    olu, pia = organiser_of(chapter), organiser_of(chapter)

    def removal(by, member):
        def remove() -> str:
            try:
                leading.remove(chapter, member=member, by=by)
            except leading.LastOrganiser:
                return "refused"
            return "removed"

        return remove

    answers = at_once(removal(olu, pia), removal(pia, olu))

    assert sorted(answers) == ["refused", "removed"]
    assert chapter.organisers.count() == 1
    assert Activity.objects.count() == 1


def test_a_group_that_two_add_is_one():
    chapter = ChapterFactory()
    by = organiser_of(chapter)

    def add():
        return grouping.add(chapter, name="Evening", role=Role.COACH, description="", by=by)

    first, second = at_once(add, add)

    assert first == second == chapter.groups.get()
    assert Activity.objects.count() == 1


def test_a_group_that_two_delete_is_gone():
    group = GroupFactory()
    by = MemberFactory()

    at_once(*[lambda: grouping.delete(group, by=by)] * 2)

    assert not group.chapter.groups.exists()
    assert Activity.objects.count() == 1


def test_a_chapter_that_two_found_is_one():
    oxford = Particulars("Oxford", "Oxford", "o@codebar.example", ZoneInfo("Europe/London"), "")
    by = MemberFactory(superuser=True)

    first, second = at_once(*[lambda: founding.found(oxford, by=by)] * 2)

    assert first == second == Chapter.objects.get()
    assert Activity.objects.count() == 1
