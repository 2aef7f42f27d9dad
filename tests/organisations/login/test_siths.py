"""SITHS over OpenID Connect, against a provider over a real connection."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from organisations.login.claims import SAMBI
from organisations.models import Assignment, CareUnit, FailedLogin, Role, User
from tests.factories import LONG_AGO, CareUnitFactory, RegionFactory
from tests.organisations.login.conftest import claims_of, log_in, to_the_callback
from tests.organisations.login.provider import TestProvider

pytestmark = pytest.mark.django_db

PERSON = "SE2321000000-P001"


def prepared(role: Role, **where: Any) -> Assignment:
    """What a region administrator has prepared for the person with the HSA-id."""
    user = User.objects.filter(hsa_id=PERSON).first() or User.objects.create_user(
        "prepared", name="Förberedd", hsa_id=PERSON
    )
    return Assignment.objects.create(user=user, role=role, **({"starts_at": LONG_AGO} | where))


def test_a_commission_at_a_clinic_gives_its_role(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    answer = log_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user = User.objects.get(hsa_id=PERSON)
    assert (user.name, user.login, user.has_usable_password()) == ("Åsa Öhman", PERSON, False)
    page = client.get("/account/")
    assert page.context["actor"].role == Role.CLINIC
    assert page.context["actor"].care_unit_id == clinic.pk


def test_the_way_there_asks_for_pkce_nonce_state_and_level_3(
    provider: TestProvider, client: Client
) -> None:
    asked = parse_qs(urlsplit(client.get("/login/siths/")["Location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["acr_values"] == ["http://id.sambi.se/loa/loa3"]
    assert all(len(asked[name][0]) >= 20 for name in ("code_challenge", "nonce", "state"))
    assert "openid" in asked["scope"][0].split()


def test_the_same_person_is_the_same_user_next_time(
    provider: TestProvider, clinic: CareUnit
) -> None:
    provider.claims = claims_of(clinic)
    log_in(Client())
    log_in(Client())
    assert User.objects.filter(hsa_id=PERSON).count() == 1
    assert Assignment.objects.count() == 1


def test_the_long_sambi_names_are_read_too(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    plain = claims_of(clinic)
    provider.claims = {
        name if name in {"acr", "name"} else SAMBI + name: value for name, value in plain.items()
    }
    assert log_in(client).status_code == 302


def test_claims_that_the_id_token_lacks_come_from_userinfo(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    whole = claims_of(clinic)
    provider.claims = {"acr": whole.pop("acr")}
    provider.userinfo = whole
    assert log_in(client).status_code == 302


def test_the_assurance_level_is_never_read_from_userinfo(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.userinfo = claims_of(clinic)
    assert refusal(log_in(client)) == "assurance_too_low"


@pytest.mark.parametrize("acr", [None, "http://id.sambi.se/loa/loa2", "loa3", ""])
def test_another_assurance_level_is_refused_in_plain_swedish(
    provider: TestProvider, clinic: CareUnit, client: Client, acr: str | None
) -> None:
    provider.claims = claims_of(clinic, acr=acr)
    answer = log_in(client)
    assert refusal(answer) == "assurance_too_low"
    assert "tillitsnivå 3" in answer.content.decode()


@pytest.mark.parametrize(
    "name",
    ["employeeHsaId", "commissionHsaId", "commissionPurpose", "healthCareProviderHsaId"],
)
def test_a_missing_claim_is_named(
    provider: TestProvider, clinic: CareUnit, client: Client, name: str
) -> None:
    provider.claims = claims_of(clinic, **{name: None})
    answer = log_in(client)
    assert refusal(answer) == "claim_missing"
    assert name in answer.content.decode()


@pytest.mark.parametrize("value", ["123", ["SE2321000000-A", "SE2321000000-B"], {"a": 1}, 7])
def test_a_claim_that_is_no_hsa_id_is_refused(
    provider: TestProvider, clinic: CareUnit, client: Client, value: Any
) -> None:
    provider.claims = claims_of(clinic, employeeHsaId=value)
    assert refusal(log_in(client)).startswith("claim_")


def wrong_nonce(claims: dict[str, Any]) -> None:
    claims["nonce"] = "another"


def no_nonce(claims: dict[str, Any]) -> None:
    del claims["nonce"]


def expired(claims: dict[str, Any]) -> None:
    claims["exp"] = claims["iat"] - 60


def wrong_audience(claims: dict[str, Any]) -> None:
    claims["aud"] = ["another client"]


def wrong_audience_for_us(claims: dict[str, Any]) -> None:
    claims["aud"], claims["azp"] = ["another client"], "vardlots"


def wrong_issuer(claims: dict[str, Any]) -> None:
    claims["iss"] = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (wrong_nonce, "nonce"),
        (no_nonce, "nonce"),
        (expired, "expired"),
        (wrong_audience, "aud"),
        (wrong_audience_for_us, "aud"),
        (wrong_issuer, "iss"),
    ],
)
def test_an_id_token_that_does_not_hold_is_refused(
    provider: TestProvider, clinic: CareUnit, client: Client, tamper: Any, reason: str
) -> None:
    provider.claims = claims_of(clinic)
    provider.tamper = tamper
    answer = log_in(client)
    assert refusal(answer) == "not_verified"
    assert reason in str(answer.context["error"].__cause__)
    assert not User.objects.exists()


def test_another_key_does_not_sign_for_the_provider(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    provider.signs_with_another_key = True
    assert refusal(log_in(client)) == "not_verified"


def test_an_unsigned_token_is_refused(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    provider.unsigned = True
    assert refusal(log_in(client)) == "not_verified"


def test_a_state_of_another_browser_is_refused_without_asking_for_a_token(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    theirs = to_the_callback(Client())
    to_the_callback(client)
    assert refusal(client.get(theirs)) == "not_verified"
    assert provider.token_requests == 0


def test_a_code_of_another_login_fails_at_the_providers_pkce_check(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    stolen = parse_qs(urlsplit(to_the_callback(Client())).query)["code"][0]
    own = parse_qs(urlsplit(to_the_callback(client)).query)["state"][0]
    answer = client.get("/login/siths/callback/", {"code": stolen, "state": own})
    assert refusal(answer) == "not_verified"
    assert provider.token_requests == 1


def test_a_callback_serves_once(provider: TestProvider, clinic: CareUnit, client: Client) -> None:
    provider.claims = claims_of(clinic)
    back = to_the_callback(client)
    assert client.get(back).status_code == 302
    client.logout()
    assert refusal(client.get(back)) == "not_verified"


@pytest.mark.parametrize("query", [{}, {"code": "x"}, {"code": "x", "state": "y"}, {"error": "x"}])
def test_a_callback_out_of_nowhere_is_refused(
    provider: TestProvider, client: Client, query: dict[str, str]
) -> None:
    assert refusal(client.get("/login/siths/callback/", query)) == "not_verified"


def test_who_cancels_reads_that_and_may_try_again(provider: TestProvider, client: Client) -> None:
    provider.cancels = True
    answer = log_in(client)
    assert refusal(answer) == "cancelled"
    assert "avbröts" in answer.content.decode()


def test_a_provider_that_is_away_is_said_so(settings: Any, client: Client) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID = "http://127.0.0.1:1", "vardlots"
    answer = client.get("/login/siths/")
    assert answer.status_code == 503
    assert "svarar inte" in answer.content.decode()


def test_an_unknown_unit_says_what_to_do(provider: TestProvider, client: Client) -> None:
    provider.claims = claims_of(CareUnitFactory.build(hsa_id="SE2321000000-UNKNOWN"))
    answer = log_in(client)
    assert refusal(answer) == "unknown_unit"
    assert "SE2321000000-UNKNOWN" in answer.content.decode()
    assert not User.objects.exists()


def test_a_closed_unit_gives_nothing(provider: TestProvider, client: Client) -> None:
    provider.claims = claims_of(CareUnitFactory(sends=True, is_active=False))
    assert refusal(log_in(client)) == "unit_closed"


def test_a_receiving_unit_gives_the_providers_role_at_that_unit(
    provider: TestProvider, client: Client
) -> None:
    unit = CareUnitFactory()
    provider.claims = claims_of(unit)
    log_in(client)
    actor = client.get("/account/").context["actor"]
    assert (actor.role, actor.care_unit_id) == (Role.PROVIDER, unit.pk)


def test_a_commission_for_another_purpose_gives_no_role_by_itself(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic, commissionPurpose="Kvalitetssäkring")
    answer = log_in(client)
    assert refusal(answer) == "no_assignment"
    assert PERSON in answer.content.decode()


def test_an_assignment_prepared_for_the_person_counts(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    prepared(Role.NAVIGATOR, region=clinic.region)
    provider.claims = claims_of(clinic, commissionPurpose="Administration")
    log_in(client)
    assert client.get("/account/").context["actor"].role == Role.NAVIGATOR
    assert Assignment.objects.count() == 1


def test_an_assignment_in_another_region_does_not_count_at_this_unit(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    prepared(Role.NAVIGATOR, region=RegionFactory(code="25"))
    provider.claims = claims_of(clinic)
    log_in(client)
    actor = client.get("/account/").context["actor"]
    assert (actor.role, actor.region) == (Role.CLINIC, clinic.region_id)


def test_an_ended_assignment_is_not_given_again_by_the_unit(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    prepared(
        Role.CLINIC,
        care_unit=clinic,
        region=clinic.region,
        ends_at=timezone.now() - timedelta(days=1),
    )
    provider.claims = claims_of(clinic)
    assert refusal(log_in(client)) == "assignment_ended"


def test_someone_shut_off_does_not_come_in(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    User.objects.create_user("x", name="X", hsa_id=PERSON, is_active=False)
    provider.claims = claims_of(clinic)
    assert refusal(log_in(client)) == "user_shut_off"


def test_the_units_assignment_ends_with_the_login(
    provider: TestProvider, clinic: CareUnit, client: Client, settings: Any
) -> None:
    provider.claims = claims_of(clinic)
    log_in(client)
    given = Assignment.objects.get()
    assert given.from_login
    assert given.ends_at == given.starts_at + settings.SESSION_LONGEST


def test_login_leads_back_to_the_page_and_to_no_other_site(
    provider: TestProvider, clinic: CareUnit
) -> None:
    provider.claims = claims_of(clinic)
    assert log_in(Client(), next="/forms/")["Location"] == "/forms/"
    assert log_in(Client(), next="https://elsewhere.example/")["Location"] == "/"
    assert log_in(Client(), next="//elsewhere.example/")["Location"] == "/"


def test_the_session_key_is_another_after_login(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    back = to_the_callback(client)
    before = client.session.session_key
    client.get(back)
    assert client.session.session_key != before


def test_only_callbacks_that_do_not_hold_count_against_the_address(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic)
    log_in(client)
    assert not FailedLogin.objects.exists()
    client.logout()
    client.get("/login/siths/callback/", {"code": "x", "state": "y"})
    assert FailedLogin.objects.count() == 1


def refusal(answer: Any) -> str:
    """The code of the page that refused; nobody is logged in."""
    assert answer.status_code == 403, (answer.status_code, answer.content.decode()[:500])
    assert "_auth_user_id" not in answer.client.session
    return str(answer.context["error"].code)


def test_a_commission_with_another_care_provider_than_the_units_is_refused(
    provider: TestProvider, clinic: CareUnit, client: Client
) -> None:
    provider.claims = claims_of(clinic, healthCareProviderHsaId="SE2321000000-VG02")
    clinic.provider.hsa_id = "SE2321000000-VG01"
    clinic.provider.save()
    answer = log_in(client)
    assert refusal(answer) == "other_care_provider"
    assert "SE2321000000-VG02" in answer.content.decode()
    provider.claims = claims_of(clinic, healthCareProviderHsaId="SE2321000000-VG01")
    assert log_in(client).status_code == 302


@pytest.mark.parametrize("way_out", ["/logout/", "/logout/everywhere/"])
def test_logging_out_ends_the_providers_session_too(
    provider: TestProvider, clinic: CareUnit, client: Client, way_out: str
) -> None:
    provider.ends_sessions = True
    provider.claims = claims_of(clinic)
    log_in(client)
    onward = urlsplit(client.post(way_out)["Location"])
    assert f"{onward.scheme}://{onward.netloc}{onward.path}" == f"{provider.issuer}/logout"
    asked = parse_qs(onward.query)
    assert asked["post_logout_redirect_uri"] == ["http://testserver/login/"]
    assert asked["client_id"] == ["vardlots"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert client.get("/account/").status_code == 302  # here it is over already


@pytest.mark.parametrize("away", [False, True])
def test_logging_out_needs_nothing_of_the_provider(
    provider: TestProvider, clinic: CareUnit, client: Client, settings: Any, away: bool
) -> None:
    provider.claims = claims_of(clinic)
    log_in(client)
    if away:
        settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/account/").status_code == 302
