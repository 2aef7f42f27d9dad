"""The stories of the demonstration's cases, told through the real services in past time."""

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from capacity.matching import Landscape, Ranked
from config.demo import places
from config.demo.echo import Source, echo
from config.demo.forms import submission
from config.demo.logins import REGION_USERS
from config.demo.notices import settle_notices
from config.demo.people import People, contact_of
from organisations.access import Actor, actor_for
from organisations.events import deliver_events
from organisations.models import CareUnit, Municipality, Role, User
from patients.models import Patient
from referral import services
from referral.models import (
    Case,
    CloseReason,
    DeclineReason,
    Offer,
    Pause,
    RejectionReason,
    WatchKind,
)
from referral.selectors.matching import need_of
from referral.submission import Submission
from referral.texts import Wishes

# Two thirds of the cases are Dalarna's, so that one region's month has figures worth looking at.
WEIGHTS = [8 if clinic.region == "20" else 1 for clinic in places.CLINICS]
SPAN_DAYS = 425  # fourteen months
# What the navigators were told where no register knew.
WHERE_UNKNOWN = Wishes(expected_wait_days=42, home_wait_days=160)
ACCEPTED_SHARE = 0.66  # pilot 1: 39 of 59
DECLINES = (
    [DeclineReason.TRAVEL] * 5
    + [DeclineReason.WANTS_HOME_CLINIC] * 4
    + [DeclineReason.WAITS_BY_CHOICE] * 3
    + [DeclineReason.ALREADY_TREATED, DeclineReason.OTHER]
)
# How often a parked case is seen over before its clinic takes it back.
MOST_REVIEWS = 4
# The stories of a protected identity are told anew and never echoed.
PROTECTED = frozenset({7, 120})
UNPROTECTED = Patient.Protection.NONE
# How many cases are told through the services although a finished story would do.
RETOLD_SHARE = 0.02


class Later(Exception):
    """The story's next step lies in the future: the case stands where it stands."""


class Teller:
    """Tells one case after the other; each step at a working hour, none after ``now``."""

    def __init__(
        self,
        random: Random,
        *,
        clinics: dict[str, CareUnit],
        towns: dict[str, Municipality],
        now: datetime,
    ) -> None:
        self.random, self.now, self.clinics = random, now, clinics
        self.people = People(random)
        self.told = 0
        self.sources: dict[str, list[Source]] = {}
        self.homes: dict[str, list[Municipality]] = {}
        for town in sorted(towns.values(), key=lambda m: m.code):
            self.homes.setdefault(town.region_id, []).append(town)
        self.actors = {
            user.login: actor_for(user, now=now) for user in User.objects.order_by("login")
        }
        self.people_at_work = {
            actor.user_id: actor for actor in self.actors.values() if actor and actor.user_id
        }
        self.providers = {
            actor.provider_id: actor
            for actor in self.actors.values()
            if actor and actor.role == Role.PROVIDER
        }

    def tell(self, number: int) -> None:
        """Tell ``number`` stories, oldest first, then settle what the past would have sent."""
        ages = sorted((self.random.uniform(0, SPAN_DAYS) for _n in range(number)), reverse=True)
        for age in ages:
            clinic = self.random.choices(places.CLINICS, weights=WEIGHTS)[0]
            at = self._working_hour(self.now - timedelta(days=age))
            if at >= self.now:
                continue
            if not self._echo(clinic, at):
                with suppress(Later):
                    case = self._story(clinic, at)
                    if self.told not in PROTECTED:
                        self.sources.setdefault(clinic.login, []).append(Source(case.pk))
            self.told += 1
        self._standing()
        self._drafts()
        self._departed()
        services.expire_offers(now=self.now, limit=10_000)
        deliver_events(now=self.now, limit=100_000)
        settle_notices(now=self.now)

    def _echo(self, clinic: places.Clinic, at: datetime) -> bool:
        """Let a finished story of the clinic happen once more; False when none fits."""
        if self.told in PROTECTED or self.random.random() < RETOLD_SHARE:
            return False
        fitting = [
            (source, weeks)
            for source in self.sources.get(clinic.login, ())
            if (weeks := source.weeks_to(at, before=self.now)) > 0
        ]
        self.random.shuffle(fitting)
        for source, weeks in fitting[:3]:
            if source.has_room(weeks=weeks):
                person = self.people.draw(child=source.case.kva == places.TALK)
                home = self.random.choice(self.homes[clinic.region])
                echo(
                    source,
                    weeks=weeks,
                    person=person,
                    contact=contact_of(person, home, self.random, protection=UNPROTECTED),
                    municipality=home,
                    actors=self.people_at_work,
                )
                return True
        return False

    # Steps

    def _story(self, clinic: places.Clinic, at: datetime) -> Case:
        actor = self._actor(clinic.login)
        case = services.submit(
            self._submission(clinic, at),
            sending_unit=self.clinics[clinic.login],
            actor=actor,
            now=at,
        )
        at = self._after(at, 0.1, 4)
        navigator = self._actor(self._navigator(clinic.region))
        services.take(case, actor=navigator, now=at)
        if self.random.random() < 0.10:
            at = self._returned(case, clinic, navigator, at)
        if self.random.random() < 0.25:
            services.note(case, text=self._note(), actor=navigator, now=at)
        if self.random.random() < 0.06 and case.guarantee_start <= self._day(at):
            self._pause(case, navigator, at)
        if not case.form.transferable or self.random.random() < 0.04:
            self._park(case, navigator, self._after(at, 0.1, 2))
            return case
        self._offers(case, navigator, self._after(at, 0.1, 5))
        return case

    def _returned(
        self, case: Case, clinic: places.Clinic, navigator: Actor, at: datetime
    ) -> datetime:
        missing = "ASA-klass stämmer inte med läkemedelslistan. Bifoga aktuell röntgenremiss."
        services.return_to_clinic(case, missing=missing, actor=navigator, now=at)
        deliver_events(now=at, case_number=case.number)
        at = self._after(at, 1, 6)
        case.refresh_from_db()
        typed = Submission(**case.form.versions.get(version=1).content | _dates(case))
        services.resubmit(case, typed, actor=self._actor(clinic.login), now=at)
        at = self._after(at, 0.1, 2)
        services.take(case, actor=navigator, now=at)
        return at

    def _offers(self, case: Case, navigator: Actor, at: datetime) -> None:
        for _round in range(3):
            matches = self._ranked(case, at)[:3]
            if not matches:
                self._park(case, navigator, at)
                return
            line = self.random.choices(matches, weights=[6, 3, 2][: len(matches)])[0].line
            offer = services.send_offer(
                case, line=line, actor=navigator, now=at, wishes=WHERE_UNKNOWN
            )
            deliver_events(now=at, case_number=case.number)
            at = self._answered(case, offer, navigator, at)
            if self._goes_to_provider(case, offer, at):
                return
            at = self._after(at, 0.2, 4)
        services.end(
            case,
            reason=CloseReason.WAITS_BY_CHOICE,
            comment="Patienten vill vänta på hemkliniken.",
            actor=navigator,
            now=at,
        )

    def _answered(self, case: Case, offer: Offer, navigator: Actor, at: datetime) -> datetime:
        accepted = self.random.random() < ACCEPTED_SHARE
        draw = self.random.random()
        if draw < 0.05:  # never answers
            expires = offer.due_at
            if expires >= self.now:
                raise Later
            services.expire_offers(now=expires, limit=1000)
            return self._after(expires, 0.5, 2)
        if draw < 0.70:
            answered, channel = at + timedelta(hours=self.random.uniform(2, 110)), "1177"
        elif draw < 0.9:
            answered, channel = self._after(at, 2, 12), "phone"
        else:
            answered, channel = self._after(at, 16, 26), "letter"
        if answered >= self.now:
            raise Later
        services.answer_offer(
            offer,
            accepted=accepted,
            channel=channel,
            reason="" if accepted else self.random.choice(DECLINES),
            comment="",
            actor=Actor.patient("Patienten i 1177") if channel == "1177" else navigator,
            now=answered,
        )
        deliver_events(now=answered, case_number=offer.case.number)
        return self._after(answered, 0.1, 2)

    def _goes_to_provider(self, case: Case, offer: Offer, at: datetime) -> bool:
        """The provider's part; False when there is no yes, or the provider says no."""
        offer.refresh_from_db()
        if offer.state != Offer.State.ACCEPTED:
            return False
        provider = self.providers[offer.care_unit.provider_id]
        if self.random.random() < 0.07:
            services.reject(
                case,
                reason=self.random.choice(list(RejectionReason)[:5]),
                comment="Vi kan inte ta emot patienten enligt underlaget.",
                actor=provider,
                now=at,
            )
            deliver_events(now=at, case_number=case.number)
            return False
        services.confirm(case, actor=provider, now=at)
        at = self._after(at, 0.5, 5)
        wait = max(4, round((offer.expected_wait_days or 40) * self.random.uniform(0.5, 1.0)))
        visit = self._working_hour(at + timedelta(days=wait))
        services.book(case, booked_for=visit, actor=provider, now=at)
        deliver_events(now=at, case_number=case.number)
        reported = self._after(visit, 0.2, 3)
        services.treat(case, treated_on=self._day(visit), actor=provider, now=reported)
        closed = self._after(reported, 2, 12)
        text = "Vården är given utan komplikation. Återbesök om tre månader på hemkliniken."
        services.close(case, back_referral=text, actor=provider, now=closed)
        return True

    def _park(self, case: Case, navigator: Actor, at: datetime) -> None:
        """Park the case and see it again within 30 days, until it ends or the future begins."""
        kind, waits_for = WatchKind.SPECIAL_NEED, "Kompetens för patientens riskgrupp"
        if case.form.transferable:
            kind, waits_for = WatchKind.ASA, f"Plats för {case.kva} och ASA {case.asa}"
            if case.asa < 3:
                kind, waits_for = WatchKind.WAIT, f"Kortare väntan för {case.kva}"
        services.park(
            case,
            kind=kind,
            waits_for=waits_for,
            review_on=self._day(at) + timedelta(days=28),
            actor=navigator,
            now=at,
        )
        for _review in range(MOST_REVIEWS - 1):
            at = self._after(at, 19, 25)
            review_on = self._day(at) + timedelta(days=28)
            services.review(case, review_on=review_on, actor=navigator, now=at)
        at = self._after(at, 19, 25)
        services.end(
            case,
            reason=CloseReason.HOME_CLINIC
            if case.form.transferable
            else CloseReason.NOT_TRANSFERABLE,
            comment="Hemkliniken har tagit tillbaka patienten efter samråd.",
            actor=navigator,
            now=at,
        )

    def _pause(self, case: Case, navigator: Actor, at: datetime) -> None:
        reason = self.random.choice(list(Pause.Reason))
        text = "Bortrest." if reason == Pause.Reason.PATIENT else "Pågående infektion."
        services.pause(
            case,
            reason=reason,
            first_day=max(case.guarantee_start, self._day(at) - timedelta(days=6)),
            until=None if self.random.random() < 0.3 else self._day(at),
            comment=text,
            actor=navigator,
            now=at,
        )

    def _standing(self) -> None:
        """One fresh case in each state for every region, so that each page has work to show."""
        for state in range(7):
            for region in sorted(places.PHONES):
                clinic = self.random.choice([c for c in places.CLINICS if c.region == region])
                at = self._working_hour(self.now - timedelta(days=9))
                self._stand_at(clinic, region, state, at)
                self.told += 1
        for clinic in places.CLINICS:
            if clinic.codes == places.ORTHO:
                self._stand_watched(clinic, self._working_hour(self.now - timedelta(days=9)))
                self.told += 1

    def _stand_at(self, clinic: places.Clinic, region: str, state: int, at: datetime) -> None:
        """Walk a case ``state`` steps: received, taken, offered, accepted, confirmed, booked,
        treated. The offers are a day old, so that the worker sends them at the first start."""
        navigator = self._actor(f"lots.{REGION_USERS[region][0]}")
        case = services.submit(
            self._submission(clinic, at, transferable=True),
            sending_unit=self.clinics[clinic.login],
            actor=self._actor(clinic.login),
            now=at,
        )
        if state < 1:
            return
        services.take(case, actor=navigator, now=at + timedelta(hours=3))
        if state < 2:
            return
        offered = self.now - timedelta(hours=20) if state == 2 else at + timedelta(hours=4)
        matches = self._ranked(case, offered)
        if not matches:
            return
        offer = services.send_offer(
            case, line=matches[0].line, actor=navigator, now=offered, wishes=WHERE_UNKNOWN
        )
        deliver_events(now=offered, case_number=case.number)
        if state < 3:
            return
        answered = self.now - timedelta(days=3)
        services.answer_offer(offer, accepted=True, channel="phone", actor=navigator, now=answered)
        deliver_events(now=answered, case_number=offer.case.number)
        provider = self.providers[offer.care_unit.provider_id]
        if state >= 4:
            services.confirm(case, actor=provider, now=answered + timedelta(hours=5))
        if state >= 5:
            visit = self.now + timedelta(days=12 if state == 5 else -1)
            services.book(case, booked_for=visit, actor=provider, now=answered + timedelta(hours=6))
            deliver_events(now=answered + timedelta(hours=6), case_number=case.number)
        if state >= 6:
            services.treat(
                case,
                treated_on=self._day(self.now - timedelta(days=1)),
                actor=provider,
                now=self.now - timedelta(hours=4),
            )

    def _stand_watched(self, clinic: places.Clinic, at: datetime) -> None:
        """A case of the clinic's on the watch list, for whom the free places may be right."""
        navigator = self._actor(f"lots.{REGION_USERS[clinic.region][0]}")
        case = services.submit(
            self._submission(clinic, at, transferable=True),
            sending_unit=self.clinics[clinic.login],
            actor=self._actor(clinic.login),
            now=at,
        )
        services.take(case, actor=navigator, now=at + timedelta(hours=3))
        services.park(
            case,
            kind=WatchKind.WAIT,
            waits_for=f"Kortare väntan för {case.kva}",
            review_on=self._day(self.now) + timedelta(days=12),
            actor=navigator,
            now=at + timedelta(hours=4),
        )

    def _drafts(self) -> None:
        """A few forms that somebody has begun today, and two that wait for the clinic."""
        for login in ("klinik.falun-ortopedi", "klinik.halmstad-ortopedi"):
            actor, unit = self._actor(login), self.clinics[login]
            at = self.now - timedelta(hours=2)
            form = services.create_draft(actor=actor, sending_unit=unit, now=at)
            person = self.people.draw()
            typed = {"identity_number": person.identity_number, "kva": places.KNEE, "asa": "2"}
            services.save_draft(form, typed=typed, actor=actor, now=at)
            clinic = next(c for c in places.CLINICS if c.login == login)
            sent = self.now - timedelta(days=2)
            case = services.submit(
                self._submission(clinic, sent, transferable=True),
                sending_unit=unit,
                actor=actor,
                now=sent,
            )
            navigator = self._actor(self._navigator(clinic.region))
            at = self.now - timedelta(days=1)
            services.return_to_clinic(
                case, missing="Aktuell läkemedelslista saknas.", actor=navigator, now=at
            )
            deliver_events(now=at, case_number=case.number)
            self.told += 1

    def _departed(self) -> None:
        """A patient who has died while the case was open: its navigator closes it."""
        open_cases = Case.objects.filter(region_id="20", state="in_progress")
        case = open_cases.select_related("patient").order_by("received_at").last()
        if case is not None:
            services.depart(
                case,
                kind="deceased_on",
                on=self._day(self.now - timedelta(days=2)),
                reason="Kliniken ringde.",
                actor=self._actor("lots.dalarna"),
                now=self.now - timedelta(minutes=30),
            )

    # What is said

    def _submission(
        self, clinic: places.Clinic, at: datetime, *, transferable: bool | None = None
    ) -> Submission:
        return submission(
            clinic,
            people=self.people,
            homes=self.homes[clinic.region],
            today=self._day(at),
            chance=self.random,
            is_protected=self.told in PROTECTED,
            transferable=transferable,
        )

    def _note(self) -> str:
        return self.random.choice(
            (
                "Patienten nås bäst på eftermiddagar.",
                "Patienten har frågat om hotell kvällen före.",
                "Anhörig hjälper till med svaret.",
                "Ringde patienten, talade in meddelande.",
            )
        )

    # Who and when

    def _navigator(self, region: str) -> str:
        prefix = "lots" if self.random.random() < 0.7 else "lots2"
        return f"{prefix}.{REGION_USERS[region][0]}"

    def _actor(self, login: str) -> Actor:
        actor = self.actors[login]
        if actor is None:
            raise LookupError(login)
        return actor

    def _after(self, at: datetime, fewest_days: float, most_days: float) -> datetime:
        """A working hour some days on; raises :class:`Later` when that has not come yet."""
        later = self._working_hour(at + timedelta(days=self.random.uniform(fewest_days, most_days)))
        later = max(later, at + timedelta(minutes=20))
        if later >= self.now:
            raise Later
        return later

    def _working_hour(self, at: datetime) -> datetime:
        """The same day between eight and half past four, on to Monday from a weekend."""
        local = timezone.localtime(at)
        day = local.date() + timedelta(
            days=max(0, 7 - local.weekday()) if local.weekday() > 4 else 0
        )
        clock = time(8 + self.random.randint(0, 8), self.random.randint(0, 29))
        return timezone.make_aware(datetime.combine(day, clock))

    def _ranked(self, case: Case, at: datetime) -> list[Ranked]:
        """As the matching page has them, without its words."""
        today = self._day(at)
        around = Case.objects.select_related("patient__municipality", "region", "form")
        need = need_of(around.get(pk=case.pk), today=today)
        return Landscape.load([case.kva], today=today).ranked(need)

    def _day(self, at: datetime) -> date:
        return timezone.localdate(at)


def _dates(case: Case) -> dict[str, object]:
    """A stored version keeps dates and numbers as text; these are the case's own."""
    return {
        "referral_date": case.referral_date,
        "decision_date": case.decision_date,
        "medical_target_date": case.medical_target_date,
        "suspicion_date": case.suspicion_date,
        "bmi": None,
    }
