"""What is not read in 1177 in time goes as a letter, once; what is read does not."""

from datetime import timedelta
from pathlib import Path

import pytest

from notices import letter_files, letters
from notices.models import Notice
from notices.services import receive_callback
from organisations.sweeps import run_due
from referral import services
from referral.models import CaseState
from tests.factories import MadeCase, RegionFactory, make_case, stockholm

pytestmark = pytest.mark.django_db

# A Tuesday; day 5 is a Sunday.
NOW = stockholm(2026, 3, 10, 9)
DAY = timedelta(days=1)
DUE = stockholm(2026, 3, 16)


def booked(**days: int | None) -> MadeCase:
    region = RegionFactory(**({"unread_booked_time_days": 5} | days))
    made = make_case(CaseState.BOOKED, now=NOW, region=region)
    run_due(now=NOW)
    return made


def message() -> Notice:
    return Notice.objects.get(kind="booked_time", channel="1177")


def letter() -> Notice:
    return Notice.objects.get(kind="booked_time", channel="letter")


def folders(drop: Path) -> list[Path]:
    return sorted(drop.glob("brev-*"))


def read(now, delivery: str = "x") -> None:
    receive_callback(
        {"delivery_id": delivery, "type": "message.read", "message_id": message().receipt}, now=now
    )


def test_it_goes_on_the_regions_day_and_never_on_a_sunday(gateway, drop):
    booked()
    assert (letter().state, letter().due_at) == ("waiting", DUE)
    assert letter().unread == message()
    run_due(now=DUE - timedelta(seconds=1))
    assert folders(drop) == []
    run_due(now=DUE)
    run_due(now=DUE + DAY)
    assert (len(folders(drop)), letter().state) == (1, "sent")
    assert letter().body == message().body


def test_without_a_day_none_is_written(gateway, drop):
    booked(unread_booked_time_days=None)
    run_due(now=NOW + 60 * DAY)
    assert not Notice.objects.filter(kind="booked_time", channel="letter").exists()


@pytest.mark.parametrize(
    ("setting", "wanted", "kind"),
    [
        ("unread_confirmation_days", "confirms_referrals", "confirmation"),
        ("unread_guarantee_days", "informs_of_guarantee", "guarantee"),
    ],
)
def test_each_kind_has_its_own_day(gateway, drop, setting, wanted, kind):
    region = RegionFactory(**{setting: 2, wanted: True})
    make_case(CaseState.RECEIVED, now=NOW, region=region)
    run_due(now=NOW)
    made = Notice.objects.get(kind=kind, channel="letter")
    assert (made.state, made.due_at) == ("waiting", stockholm(2026, 3, 12))


def test_reading_it_cancels_the_letter(gateway, drop):
    booked()
    read(NOW + DAY)
    assert (letter().state, letter().last_error) == (
        "cancelled",
        "Patienten har läst meddelandet i 1177.",
    )
    run_due(now=DUE)
    assert folders(drop) == []


def test_what_is_read_while_the_letters_are_written_stays_out(gateway, drop, monkeypatch):
    booked()
    real = letter_files.write_letters

    def slowly(*args, **options):
        written = real(*args, **options)
        read(DUE)
        return written

    monkeypatch.setattr(letters, "write_letters", slowly)
    run_due(now=DUE)
    assert (folders(drop), letter().state) == ([], "cancelled")


def test_a_lost_callback_is_learnt_of_before_the_letter(gateway, drop):
    booked()
    gateway.book.mark_read(message().receipt)
    run_due(now=NOW + DAY)
    assert letter().state == "cancelled"


def test_a_new_time_takes_the_place_of_the_old_ones_letter(gateway, drop):
    made = booked()
    later = NOW + timedelta(hours=3)
    services.book(made.case, booked_for=NOW + 40 * DAY, actor=made.provider, now=later)
    run_due(now=later)
    states = Notice.objects.filter(kind="booked_time", channel="letter").order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["cancelled", "waiting"]
    run_due(now=DUE + DAY)
    assert len(folders(drop)) == 1


def test_after_the_treatment_no_letter_tells_the_time(gateway, drop):
    made = booked()
    services.treat(made.case, treated_on=(NOW + DAY).date(), actor=made.provider, now=NOW + DAY)
    run_due(now=DUE)
    assert (folders(drop), letter().state) == ([], "cancelled")
    assert letter().last_error == "Tiden gäller inte längre."


@pytest.mark.parametrize(("mailbox", "channel"), [(True, "digital"), (False, "letter")])
def test_who_is_not_in_1177_gets_it_once(gateway, drop, mailbox, channel):
    region = RegionFactory(unread_booked_time_days=5)
    made = make_case(CaseState.BOOKED, now=NOW, region=region)
    number = made.case.patient.identity_number
    gateway.book.set_active(number, False)
    gateway.book.set_mailbox(number, mailbox)
    run_due(now=NOW)
    run_due(now=DUE)
    assert Notice.objects.get(kind="booked_time").channel == channel
