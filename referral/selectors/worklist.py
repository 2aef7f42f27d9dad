"""The worklist: views, filters, search and keyset order."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case as Choice
from django.db.models import Count, Exists, F, IntegerField, Q, Value, When
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from organisations.models import Role
from patients.identity import IdentityNumber, InvalidIdentityNumber
from patients.selectors import identity_hashes, patients_named
from referral.guarantee import SOON_DAYS
from referral.models import CaseState
from referral.models.cases import CaseQuerySet
from referral.numbers import CaseNumber, InvalidCaseNumber
from referral.selectors.cases import visible_cases
from referral.selectors.watching import handled_by, open_hits


@dataclass(frozen=True)
class WorklistView:
    key: str
    label: object
    roles: frozenset[str]


EVERYONE = frozenset({Role.NAVIGATOR, Role.CLINIC, Role.PROVIDER, Role.INTEGRATION})
NAVIGATOR = frozenset({Role.NAVIGATOR})
HOME = frozenset({Role.NAVIGATOR, Role.CLINIC})

VIEWS = (
    WorklistView("mine", _("Mina"), NAVIGATOR),
    WorklistView("unassigned", _("Utan vårdlots"), NAVIGATOR),
    WorklistView("to_do", _("Att göra"), frozenset({Role.CLINIC, Role.PROVIDER})),
    WorklistView("awaiting_answer", _("Väntar på svar"), HOME),
    WorklistView("with_provider", _("Hos vårdgivare"), HOME),
    WorklistView("soon", _("Sista dag inom 14 dagar"), HOME),
    WorklistView("breached", _("Över gränsen"), HOME),
    WorklistView("watch_hits", _("Träff på bevakningslistan"), NAVIGATOR),
    WorklistView("watched", _("Bevakning"), NAVIGATOR),
    WorklistView("review_due", _("Ska ses över nu"), NAVIGATOR),
    WorklistView("all", _("Alla öppna"), EVERYONE),
    WorklistView("closed", _("Avslutade"), EVERYONE),
)

# Views where every case has a day of review (case_watched_is_reviewed).
REVIEWED = frozenset({"watch_hits", "watched", "review_due"})

# The name of each order and the column or annotation it follows. Patients' names are no order:
# it would tell where in the alphabet somebody with protected identity stands.
_SORT_COLUMNS = {
    "last_day": "last_day",
    "received": "received_at",
    "number": "number",
    "procedure": "procedure_name",
    "clinic": "by_clinic",
    "state": "by_state",
    "review": "review_on",
}
SORTS = {
    f"{sign}{name}": (f"{sign}{column}", f"{sign}pk")
    for name, column in _SORT_COLUMNS.items()
    for sign in ("", "-")
}
_STATE_ORDER = Choice(
    *(When(state=state, then=Value(place)) for place, state in enumerate(CaseState)),
    output_field=IntegerField(),
)
_ANNOTATIONS = {"by_clinic": F("sending_unit__name"), "by_state": _STATE_ORDER}


def views_for(actor: Actor) -> list[WorklistView]:
    return [view for view in VIEWS if actor.role in view.roles]


def sort_for(sort: str, *, view: str, search: str = "") -> str:
    """The order that holds: ``sort`` where it can be had, else the view's own.

    Only the watch list has a day of review on every case; it begins with the earliest.
    """
    reviewed = view in REVIEWED and not search.strip()
    if sort not in SORTS or (sort.lstrip("-") == "review" and not reviewed):
        return "review" if reviewed else "last_day"
    return sort


def _condition(view: str, actor: Actor, *, today: date) -> Q:
    running = Q(clock_stopped_on__isnull=True, paused_from__isnull=True)
    match view:
        case "mine":
            return Q(navigator_id=actor.user_id) & ~Q(state=CaseState.CLOSED)
        case "unassigned":
            return Q(navigator__isnull=True) & ~Q(state=CaseState.CLOSED)
        case "to_do" if actor.role == Role.CLINIC:
            return Q(state=CaseState.RETURNED)
        case "to_do":
            return Q(state__in=[CaseState.ACCEPTED, CaseState.CONFIRMED, CaseState.TREATED])
        case "awaiting_answer":
            return Q(state=CaseState.OFFERED)
        case "with_provider":
            return Q(
                state__in=[
                    CaseState.ACCEPTED,
                    CaseState.CONFIRMED,
                    CaseState.BOOKED,
                    CaseState.TREATED,
                ]
            )
        case "soon":
            return (
                running
                & Q(last_day__range=(today, today + timedelta(days=SOON_DAYS)))
                & ~Q(state=CaseState.CLOSED)
            )
        case "breached":
            return (
                Q(clock_stopped_on__isnull=True, last_day__lt=today)
                & (Q(paused_from__isnull=True) | Q(paused_from__gt=F("last_day")))
                & ~Q(state=CaseState.CLOSED)
            )
        case "watched":
            return Q(state=CaseState.WATCHED)
        case "watch_hits":
            return Q(state=CaseState.WATCHED) & handled_by(actor) & Q(Exists(open_hits()))
        case "review_due":
            return Q(state=CaseState.WATCHED, review_on__lte=today)
        case "closed":
            return Q(state=CaseState.CLOSED, archived_at__isnull=True)
        case _:
            return ~Q(state=CaseState.CLOSED)


def worklist(
    actor: Actor,
    *,
    view: str,
    today: date,
    search: str = "",
    patient: int | None = None,
    sort: str = "",
) -> CaseQuerySet:
    """The cases of a view in a stable order. A search looks through all cases, closed ones too.

    ``patient`` is the key of the one that was searched by identity number, which stands in no URL.
    """
    cases = visible_cases(actor)
    text = search.strip()
    if patient is not None:
        cases = cases.filter(patient=patient)
    elif text:
        cases = cases.filter(_search(text, today=today))
    else:
        cases = cases.filter(_condition(view, actor, today=today))
    return in_order(cases, sort_for(sort, view=view, search=search))


def in_order(cases: CaseQuerySet, sort: str) -> CaseQuerySet:
    """The cases in an order of ``SORTS``, with the value that it follows on each."""
    order = SORTS[sort]
    column = order[0].lstrip("-")
    if column in _ANNOTATIONS:
        cases = cases.annotate(**{column: _ANNOTATIONS[column]})
    return cases.order_by(*order)


def cases_of_identity(actor: Actor, text: str, *, today: date) -> CaseQuerySet | None:
    """The visible cases of the patient with this identity number; ``None`` when it is not one."""
    try:
        identity = IdentityNumber.parse(text, today=today)
    except InvalidIdentityNumber:
        return None
    return visible_cases(actor).filter(patient__identity_hash__in=identity_hashes(identity))


def worklist_counts(actor: Actor, *, today: date) -> dict[str, int]:
    """How many cases each view of the actor's holds, in one query; closed ones not counted."""
    views = [view for view in views_for(actor) if view.key != "closed"]
    return (
        visible_cases(actor)
        .select_related(None)
        .order_by()
        .open()
        .aggregate(
            **{
                view.key: Count("pk", filter=_condition(view.key, actor, today=today))
                for view in views
            }
        )
    )


def search_problem(text: str, *, today: date) -> str:
    """What is wrong with a number that was searched for, in words; empty when nothing is.

    Eleven digits, or two and two before hyphens, are a case number, ten or twelve an identity
    number; fewer are the beginning of a case number.
    """
    digits = re.sub(r"[\s\u2010-\u2015\u2212+-]", "", text)
    if not re.fullmatch(r"[0-9]{10,12}", digits):
        return ""
    try:
        if len(digits) == 11 or re.match(r"[0-9]{2}-[0-9]{2}-", text):
            CaseNumber.parse(text)
        else:
            IdentityNumber.parse(text, today=today)
    except (InvalidCaseNumber, InvalidIdentityNumber) as error:
        return str(error)
    return ""


def _search(text: str, *, today: date) -> Q:
    """By case number, identity number or part of a name, told apart by their form.

    A name never finds a person with protected identity, whose name lists do not show.
    """
    try:
        return Q(number=CaseNumber.parse(text).value)
    except InvalidCaseNumber:
        pass
    try:
        return Q(
            patient__identity_hash__in=identity_hashes(IdentityNumber.parse(text, today=today))
        )
    except InvalidIdentityNumber:
        pass
    if re.fullmatch(r"[0-9 +-]+", text):
        start = re.sub(r"[ +]", "", text)
        # A range, not LIKE: behind row-level security only such a bound reaches the index.
        return Q(number__gte=start, number__lt=start + "~")
    return Q(patient__in=patients_named(text.split()))
