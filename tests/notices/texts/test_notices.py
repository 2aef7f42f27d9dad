"""Notices written from the texts: which go, in which words, and what a missing field does."""

from datetime import timedelta

import pytest

from notices.models import Notice
from notices.services import send_again
from organisations.errors import WrongState
from organisations.events import deliver_events
from organisations.models import Region
from referral import services
from referral.models import Case, CaseState
from tests.factories import RegionFactory, make_case, stockholm, user_of

pytestmark = pytest.mark.django_db
NOW = stockholm(2026, 3, 2, 12)
EARLY = {Notice.Kind.CONFIRMATION, Notice.Kind.GUARANTEE}


def told(case: Case) -> dict[str, Notice]:
    deliver_events(now=NOW)
    return {notice.kind: notice for notice in Notice.objects.filter(case=case)}


def test_nothing_goes_early_unless_the_region_wants_it():
    assert not told(make_case(now=NOW).case)


@pytest.mark.parametrize(
    ("transferable", "words"),
    [(True, "söker Vårdlotsen Halland nu en annan vårdgivare"), (False, "av medicinska skäl")],
)
def test_the_patient_is_told_early_of_referral_and_guarantee(transferable, words):
    RegionFactory(confirms_referrals=True, informs_of_guarantee=True)
    why = "" if transferable else "Hjärtsvikt"
    made = make_case(now=NOW, transferable=transferable, not_transferable_reason=why)
    found = told(made.case)
    assert set(found) == EARLY
    assert words in found[Notice.Kind.CONFIRMATION].body
    assert "90 dagar" in found[Notice.Kind.GUARANTEE].body
    assert all(notice.text_version is not None for notice in found.values())


def test_notices_are_in_the_patients_language():
    RegionFactory(confirms_referrals=True)
    notice = told(make_case(now=NOW, language="engelska").case)[Notice.Kind.CONFIRMATION]
    assert (notice.language, notice.subject) == ("en", "We have received your referral")


def test_the_notice_of_an_offer_says_what_the_offer_says():
    made = make_case(CaseState.OFFERED, now=NOW, language="engelska")
    assert made.offer is not None
    found = told(made.case)
    for kind in (Notice.Kind.OFFER, Notice.Kind.OFFER_LETTER):
        assert (found[kind].body, found[kind].language) == (made.offer.text, "en")
        assert found[kind].text_version == made.offer.written.version


def test_a_missing_field_stops_the_notice_and_it_is_written_when_it_is_sent_again(client):
    made = make_case(CaseState.CONFIRMED, now=NOW)
    Region.objects.update(travel_phone="")
    services.book(made.case, booked_for=NOW + timedelta(days=3), actor=made.provider, now=NOW)
    notice = told(made.case)[Notice.Kind.BOOKED_TIME]
    assert (notice.state, notice.body) == (Notice.State.FAILED, "")
    assert "telefon för att boka sjukresa" in notice.last_error
    client.force_login(user_of(made.navigator))
    assert "Uppgift saknas" in client.get("/notices/undelivered/").content.decode()
    with pytest.raises(WrongState, match="Uppgift saknas"):
        send_again(notice, now=NOW)
    notice.refresh_from_db()
    assert notice.state == Notice.State.FAILED
    Region.objects.update(travel_phone="010-1")
    written = send_again(notice, now=NOW)
    assert (written.state, written.to_write) == (Notice.State.WAITING, None)
    assert "5 mars 2026 klockan 12.00" in written.body
    assert "010-1" in written.body
