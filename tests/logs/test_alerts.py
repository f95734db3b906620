"""Alerts as rows: one for each thing that is wrong, from when it began until it was over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from logs import clock
from logs.models import Alert, Severity
from logs.services import alerts
from logs.services.alerts import KINDS, QUIET, Found, end_alert, raise_alert, settle
from tests.factories import InvitationLogFactory

pytestmark = pytest.mark.django_db


def long_ago(minutes: float) -> dict[str, object]:
    moment = timezone.now() - timedelta(minutes=minutes)
    return {"began_at": moment, "seen_at": moment, "tell_at": moment}


def rows() -> list[tuple[str, str, bool]]:
    """Kind, key and whether it is over, of each alert."""
    found = Alert.objects.order_by("pk").values_list("kind", "key", "ended_at")
    return [(kind, key, ended_at is not None) for kind, key, ended_at in found]


def test_raised_often_it_is_one_alert_with_its_newest_numbers(settings):
    settings.RELEASE = "1.2+abc"
    log = InvitationLogFactory()
    raise_alert("guard", log=log, numbers={"letters": 700})
    Alert.objects.update(**long_ago(5))

    raise_alert("guard", log=log, numbers={"letters": 800})

    alert = Alert.objects.get()
    assert (alert.kind, alert.key, alert.log) == ("guard", str(log.pk), log)
    assert (alert.severity, alert.release) == (Severity.PAGE, "1.2+abc")
    assert alert.numbers == {"letters": 800}
    assert timezone.now() - alert.began_at > timedelta(minutes=4)
    assert timezone.now() - alert.seen_at < timedelta(minutes=1)


def test_keys_and_logs_tell_several_apart():
    first, second = InvitationLogFactory(), InvitationLogFactory()
    raise_alert("stalled_log", log=first)
    raise_alert("stalled_log", log=second)
    raise_alert("queue_age", key="single")

    assert {(kind, key) for kind, key, _ in rows()} == {
        ("stalled_log", str(first.pk)),
        ("stalled_log", str(second.pk)),
        ("queue_age", "single"),
    }


def test_a_kind_that_does_not_exist_is_a_mistake():
    with pytest.raises(KeyError):
        raise_alert("weather")
    assert rows() == []


def test_ended_twice_it_ended_once():
    raise_alert("audit", numbers={"audit": 1, "breaches": 3})
    end_alert("audit")
    ended_at = Alert.objects.get().ended_at

    end_alert("audit")

    assert ended_at is not None
    assert Alert.objects.get().ended_at == ended_at


def test_what_never_began_cannot_end():
    end_alert("audit")

    assert rows() == []


def test_what_comes_back_soon_was_never_over():
    raise_alert("audit")
    Alert.objects.update(mailed_at=timezone.now())
    end_alert("audit")

    raise_alert("audit")

    assert rows() == [("audit", "", False)]
    assert Alert.objects.get().mailed_at is not None


def test_what_comes_back_later_is_another_one():
    raise_alert("audit")
    end_alert("audit")
    Alert.objects.update(ended_at=timezone.now() - QUIET - timedelta(minutes=1))

    raise_alert("audit")
    raise_alert("audit")

    assert rows() == [("audit", "", True), ("audit", "", False)]


def test_what_is_over_within_its_grace_never_was():
    raise_alert("held")

    end_alert("held")

    assert rows() == []


def test_what_lasts_longer_than_its_grace_is_kept():
    raise_alert("held")
    Alert.objects.update(**long_ago(3))

    end_alert("held")

    assert rows() == [("held", "", True)]


def test_what_could_not_be_told_yet_is_kept():
    raise_alert("audit")
    Alert.objects.update(tries=1, tell_at=timezone.now() + timedelta(minutes=2))

    end_alert("audit")

    assert rows() == [("audit", "", True)]


def test_settle_raises_what_was_found_and_ends_the_rest_of_its_kind():
    for key in ("1", "2", "3"):
        raise_alert("in_doubt", key=key)
    raise_alert("audit")

    found = {"2": Found({"letters": 5}), "4": Found({"letters": 1})}
    settle({"in_doubt": found}, as_of=clock.now())

    assert rows() == [
        ("in_doubt", "1", True),
        ("in_doubt", "2", False),
        ("in_doubt", "3", True),
        ("audit", "", False),
        ("in_doubt", "4", False),
    ]
    assert Alert.objects.get(key="2").numbers == {"letters": 5}


def test_what_was_raised_since_somebody_began_to_look_is_not_over():
    raise_alert("guard", key="1")
    raise_alert("guard", key="2")
    begun_at = clock.now()
    raise_alert("guard", key="2")
    raise_alert("guard", key="3")

    settle({"guard": {}}, as_of=begun_at)

    assert rows() == [("guard", "1", True), ("guard", "2", False), ("guard", "3", False)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_can_be_said_without_a_number(kind):
    raise_alert(kind)

    assert "{" not in alerts.sentence(Alert.objects.get())


@pytest.mark.parametrize(("kind", "key"), alerts.OTHER_WORDS)
def test_other_words_are_as_urgent_as_their_kind(kind, key):
    raise_alert(kind, key=key)

    alert = Alert.objects.get()
    assert alerts.title(alert) != KINDS[kind].title
    assert "{" not in alerts.sentence(alert)
    assert alerts.OTHER_WORDS[kind, key].severity == KINDS[kind].severity == alert.severity


def test_a_kind_that_only_another_release_knows_is_called_by_its_name():
    alert = Alert(kind="weather", severity=Severity.MAIL, numbers={"degrees": 40})

    assert (alerts.title(alert), alerts.sentence(alert)) == ("weather", "")


def test_a_sentence_with_its_numbers():
    log = InvitationLogFactory()
    raise_alert("failure_rate", log=log, numbers={"failed": 3, "letters": 20, "percent": 15})

    assert alerts.sentence(Alert.objects.get()) == (
        f"Of 20 letters of log {log.pk} that were tried, 3 failed: 15 %."
    )
