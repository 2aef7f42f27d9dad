"""A region's texts: drafted, published, replaced, and never changed after that."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from notices.models import Notice
from notices.texts.kinds import TextKind
from notices.texts.models import TextVersion, WrittenOffer
from notices.texts.services import discard, kept, publish, save_draft, withdraw
from notices.texts.shipped import shipped_texts
from notices.texts.writing import shipped_version, write
from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.models import Region
from referral import services
from referral.models import CaseState
from referral.texts import Wishes
from tests.factories import (
    WAIT_IS_KNOWN,
    MadeCase,
    RegionFactory,
    make_case,
    navigator_actor,
    region_admin_actor,
    user_of,
)

pytestmark = pytest.mark.django_db
State = TextVersion.State


@pytest.fixture
def region() -> Region:
    return RegionFactory()


@pytest.fixture
def admin(region: Region) -> Actor:
    return region_admin_actor(region)


def draft(admin: Actor, *, kind: str = "offer_reminder", **more: object) -> TextVersion:
    shipped = shipped_texts().get((kind, "sv", False), shipped_texts()["offer", "sv", False])
    given = {
        "kind": kind,
        "language": "sv",
        "easy": False,
        "variant": "A",
        "subject": shipped.subject,
        "body": shipped.body,
    }
    return save_draft(**given | more, actor=admin, now=timezone.now())


def published(admin: Actor, **more: object) -> TextVersion:
    return publish(draft(admin, **more), actor=admin, now=timezone.now())


def test_a_new_version_replaces_the_one_in_use(admin):
    first = published(admin)
    assert draft(admin).pk == draft(admin, subject="Glöm inte").pk  # one draft at a time
    second = published(admin, subject="Svara gärna")
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == (State.REPLACED, State.PUBLISHED, 2)


def test_an_offer_that_leaves_something_out_is_not_published(admin):
    made = draft(admin, kind="offer", body="Hej {provider}, {town}.")
    with pytest.raises(InvalidInput) as refused:
        publish(made, actor=admin, now=timezone.now())
    told = refused.value.fields["body"]
    for what in ("ledsagare", "övernattning", "resan", "nej", "inte kostar något extra"):
        assert what in told
    made.refresh_from_db()
    assert made.state == State.DRAFT


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"kind": "x"}, "kind"),
        ({"language": "xx"}, "language"),
        ({"variant": "a/b"}, "variant"),
        ({"variant": "B"}, "variant"),
        ({"subject": "a\x00"}, "subject"),
        ({"body": "\ud800"}, "body"),
        ({"body": "x" * 9000}, "body"),
    ],
)
def test_what_cannot_be_kept_is_told_at_its_field(admin, given, at):
    with pytest.raises(InvalidInput) as refused:
        draft(admin, **given)
    assert set(refused.value.fields) == {at}


def test_only_the_regions_own_administrator(region, admin):
    made = draft(admin)
    with pytest.raises(NotAllowed):
        draft(navigator_actor(region))
    with pytest.raises(TextVersion.DoesNotExist):
        publish(made, actor=region_admin_actor(RegionFactory(code="14")), now=timezone.now())


def test_out_of_use_the_products_text_is_used_again(region, admin):
    made = make_case(CaseState.OFFERED)
    body = "{#answer}Svara {answer_by}. {#call}{navigator_phone} {case_number}"
    text = published(admin, body=body.replace(" {#call}", "\n{#call}"))
    asked = {"case": made.case, "offer": made.offer, "now": timezone.now()}
    assert write("offer_reminder", **asked).version == text
    withdraw(text, actor=admin, now=timezone.now())
    with pytest.raises(WrongState):
        withdraw(text, actor=admin, now=timezone.now())
    assert write("offer_reminder", **asked).version.region is None


def test_a_draft_is_thrown_away_and_a_published_text_is_not(admin):
    discard(draft(admin), actor=admin, now=timezone.now())
    assert not TextVersion.objects.exists()
    with pytest.raises(WrongState):
        discard(published(admin), actor=admin, now=timezone.now())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE notices_textversion SET body = 'x' WHERE id = %s",
        "UPDATE notices_textversion SET state = 'draft', published_at = NULL WHERE id = %s",
        "UPDATE notices_textversion SET subject = 'x', state = 'replaced', replaced_at = now()"
        " WHERE id = %s",
        "DELETE FROM notices_textversion WHERE id = %s",
    ],
)
def test_the_database_keeps_what_was_published(admin, change):
    made = published(admin)
    with (
        pytest.raises(DatabaseError, match="not changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change, [made.pk])


def test_the_products_text_has_one_row_and_a_new_edition_replaces_it(db):
    now = timezone.now()
    first = kept(shipped_version("offer", "sv", False), now=now)
    assert kept(shipped_version("offer", "sv", False), now=now) == first
    edition = shipped_version("offer", "sv", False)
    edition.body += "\nNy rad."
    second = kept(edition, now=now)
    first.refresh_from_db()
    assert (first.state, second.state, second.number) == (State.REPLACED, State.PUBLISHED, 2)


# In which language


@pytest.mark.parametrize(
    ("said", "wish", "language", "words"),
    [
        ("", "", "sv", "Det kostar dig inget extra"),
        ("engelska", "", "en", "It costs you nothing extra"),
        ("arabiska", "", "sv", "Det kostar dig inget extra"),
        ("engelska", "sv", "sv", "Det kostar dig inget extra"),
        ("", "en", "en", "It costs you nothing extra"),
    ],
)
def test_the_offer_is_in_the_patients_language_else_swedish(said, wish, language, words):
    made = make_case(CaseState.IN_PROGRESS, language=said)
    offer = offered(made, Wishes(expected_wait_days=30, language=wish))
    assert words in offer.text
    assert WrittenOffer.objects.get().version.language == language


def offered(made: MadeCase, wishes: Wishes = WAIT_IS_KNOWN):
    return services.send_offer(
        made.case, line=made.line, actor=made.navigator, now=timezone.now(), wishes=wishes
    )


def test_a_language_without_a_text_cannot_be_asked_for():
    with pytest.raises(InvalidInput) as refused:
        offered(make_case(CaseState.IN_PROGRESS), Wishes(expected_wait_days=30, language="so"))
    assert set(refused.value.fields) == {"language"}


def test_a_language_that_the_region_adds_is_used(region, admin):
    body = shipped_texts()["offer", "en", False].body
    published(admin, kind="offer", language="ar", subject="عرض رعاية", body=f"مرحبا\n\n{body}")
    offer = offered(make_case(CaseState.IN_PROGRESS, language="arabiska"))
    assert offer.text.startswith("مرحبا")
    assert offer.written.version.direction == "rtl"


def test_an_easy_text_is_asked_for_and_the_same_offer_told_in_other_words():
    made = make_case(CaseState.IN_PROGRESS)
    offer = offered(made, Wishes(expected_wait_days=30, easy=True, message="Välkommen."))
    assert offer.text.startswith("Du väntar på vård hos")
    assert "Välkommen." in offer.text
    now = timezone.now()
    same = write(TextKind.OFFER, case=made.case, offer=offer, now=now)
    english = write(TextKind.OFFER, case=made.case, offer=offer, now=now, language="en")
    assert same.body == offer.text
    assert "Välkommen." in english.body
    assert english.language == "en"


def test_what_is_missing_stops_the_offer_and_says_where_to_fill_it_in(region):
    made = make_case(CaseState.IN_PROGRESS)
    Region.objects.update(travel_phone="", travel_paid="")
    made.case.refresh_from_db()
    with pytest.raises(InvalidInput) as refused:
        offered(made)
    assert set(refused.value.fields) == {"travel_phone", "travel_booked"}
    assert "Utskick" in str(refused.value)
    assert not WrittenOffer.objects.exists()
    assert made.refresh().state == CaseState.IN_PROGRESS


# Pages


def test_a_text_is_written_previewed_published_and_used(client, admin):
    client.force_login(user_of(admin))
    address = "/texts/offer/sv/plain/B/"
    body = shipped_texts()["offer", "sv", False].body
    page = client.get(address).content.decode()
    assert "{home_expected}" in page
    preview = client.post(address, {"subject": "Hej", "body": "Hej {nobody}", "preview": 1})
    assert (preview.status_code, "{nobody}" in preview.content.decode()) == (200, True)
    assert not TextVersion.objects.exists()
    wrong = client.post(address, {"subject": "Hej", "body": "Hej {town}", "publish": 1})
    assert wrong.status_code == 422
    assert "Hej {town}" in wrong.content.decode()
    assert TextVersion.objects.get().state == State.DRAFT
    done = client.post(address, {"subject": "Ny", "body": "Variant B.\n\n" + body, "publish": 1})
    assert done.status_code == 302
    version = TextVersion.objects.get()
    assert (version.state, version.variant) == (State.PUBLISHED, "B")
    listed = client.get("/texts/").content.decode()
    assert "egen, version 1" in listed
    offer = offered(make_case(CaseState.IN_PROGRESS))
    assert offer.text.startswith("Variant B.")
    assert client.get("/texts/compare/").status_code == 200
    assert client.get(f"/texts/versions/{version.pk}/").status_code == 200
    assert client.post(f"/texts/versions/{version.pk}/").status_code == 302
    version.refresh_from_db()
    assert version.state == State.REPLACED


@pytest.mark.parametrize(
    "address",
    [
        "x/sv/plain/A",
        "offer/xx/plain/A",
        "offer/sv/hard/A",
        "guarantee/sv/plain/B",
        "offer/sv/easy/!",
    ],
)
def test_an_address_of_no_text_is_no_page(client, admin, address):
    client.force_login(user_of(admin))
    assert client.get(f"/texts/{address}/").status_code == 404


def test_a_new_text_is_chosen(client, admin):
    client.force_login(user_of(admin))
    wrong = client.post("/texts/new/", {"kind": "guarantee", "language": "so", "variant": "B"})
    assert wrong.status_code == 422
    right = client.post(
        "/texts/new/", {"kind": "guarantee", "language": "so", "easy": "on", "variant": "A"}
    )
    assert right["Location"] == "/texts/guarantee/so/easy/A/"
    assert client.get(right["Location"]).status_code == 200
    assert Notice.objects.count() == 0
