"""What came of a campaign, in figures; small ones hidden for those who see figures only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.campaigns.models import Answer, Campaign, CampaignRecipient
from notices.campaigns.selectors import SEES_PATIENTS
from notices.models import Notice
from organisations.access import Actor, as_product
from organisations.suppression import suppress
from referral.models import CaseState, CloseReason, Offer

HIDDEN = "dolt"
NO_ANSWER = "no_answer"
CHANNELS = (Notice.Channel.INBOX, Notice.Channel.DIGITAL, Notice.Channel.LETTER)
# Of those who were told, each with how it is counted.
AFTERWARDS = (
    ("read", gettext_lazy("Läst i 1177")),
    ("failed", gettext_lazy("Kunde inte lämnas")),
    ("returned", gettext_lazy("Kom i retur")),
    ("closed", gettext_lazy("Ärenden avslutade av svaret")),
    ("calls", gettext_lazy("Bad om att bli uppringda")),
    ("offers", gettext_lazy("Fick ett erbjudande efteråt")),
)
# Parts of single answers: they tell of those where they are hidden.
OF_ANSWERS = frozenset({"closed", "calls"})


@dataclass
class Figure:
    """A count with its share of a whole; ``None`` when it is hidden."""

    name: str
    label: str
    count: int | None
    of: int | None
    # Which of the campaign's patients it counts, for the list behind it.
    query: str = ""

    @property
    def percent(self) -> float | None:
        return 100 * self.count / self.of if self.count is not None and self.of else None


@dataclass
class Results:
    patients: int | None
    told: int | None
    sent: int | None
    cost_sek: Decimal | None
    states: list[Figure] = field(default_factory=list)
    channels: list[Figure] = field(default_factory=list)
    answers: list[Figure] = field(default_factory=list)
    afterwards: list[Figure] = field(default_factory=list)
    suppressed: bool = False


@as_product("campaign results")
def results_of(campaign: Campaign, actor: Actor) -> Results:
    """The figures, from the rows as they stand."""
    states = _states(campaign)
    told = next(figure for figure in states if figure.name == CampaignRecipient.State.TOLD)
    channels = _channels(campaign)
    sent = sum(figure.count or 0 for figure in channels)
    for figure in channels:
        figure.of = sent
    results = Results(
        patients=sum(figure.count or 0 for figure in states),
        told=told.count,
        sent=sent,
        cost_sek=_cost(campaign, channels),
        states=states,
        channels=channels,
        answers=_answers(campaign, told.count or 0),
        afterwards=_afterwards(campaign, told.count or 0),
    )
    if actor.role not in SEES_PATIENTS:
        hide_small(results)
    return results


def _states(campaign: Campaign) -> list[Figure]:
    counts = dict(campaign.recipients.order_by().values_list("state").annotate(n=Count("pk")))
    total = sum(counts.values())
    return [
        Figure(state, str(state.label), counts.get(state, 0), total, f"state={state}")
        for state in CampaignRecipient.State
    ]


def _channels(campaign: Campaign) -> list[Figure]:
    """What was sent, by the way it went."""
    counts = dict(
        Notice.objects.filter(recipient__campaign=campaign, sent_at__isnull=False)
        .order_by()
        .values_list("channel")
        .annotate(n=Count("pk"))
    )
    return [
        Figure(channel, str(channel.label), counts.get(channel, 0), None, f"channel={channel}")
        for channel in CHANNELS
    ]


def _cost(campaign: Campaign, channels: Sequence[Figure]) -> Decimal:
    letter, digital = campaign.letter_sek or Decimal(0), campaign.digital_sek or Decimal(0)
    prices = {Notice.Channel.LETTER: letter}
    costs = (
        (figure.count or 0) * prices.get(Notice.Channel(figure.name), digital)
        for figure in channels
    )
    return sum(costs, start=Decimal(0))


def _answers(campaign: Campaign, told: int) -> list[Figure]:
    counts = dict(
        campaign.recipients.filter(state=CampaignRecipient.State.TOLD)
        .order_by()
        .values_list("answer")
        .annotate(n=Count("pk"))
    )
    rows = [
        Figure(answer, str(answer.label), counts.get(answer, 0), told, f"answer={answer}")
        for answer in Answer
    ]
    none = Figure(NO_ANSWER, _("Inget svar"), counts.get("", 0), told, f"answer={NO_ANSWER}")
    return [*rows, none]


def _afterwards(campaign: Campaign, told: int) -> list[Figure]:
    closed = Q(
        answer=Answer.NOT_NEEDED,
        case__state=CaseState.CLOSED,
        case__close_reason=CloseReason.NO_LONGER_NEEDED,
    )
    offered = Exists(Offer.objects.filter(case=OuterRef("case"), sent_at__gt=OuterRef("told_at")))
    counts = (
        campaign.recipients.filter(state=CampaignRecipient.State.TOLD)
        .annotate(offered=offered)
        .aggregate(
            read=Count("pk", filter=Q(notice__read_at__isnull=False)),
            failed=Count("pk", filter=Q(notice__state=Notice.State.FAILED)),
            returned=Count("pk", filter=Q(notice__state=Notice.State.RETURNED)),
            closed=Count("pk", filter=closed),
            calls=Count("pk", filter=Q(answer__in=[Answer.CALL, Answer.ELSEWHERE])),
            offers=Count("pk", filter=Q(offered=True)),
        )
    )
    return [Figure(name, str(label), counts[name], told) for name, label in AFTERWARDS]


def hide_small(results: Results) -> None:
    """Counts of 1-4 cannot be read nor worked out, in each table with its total.

    The told are a count of the first table and the total of the answers; what was sent is the
    total of the channels, and a part of the told. What is counted beside the answers is a table of
    two: those it holds for, and the rest. Where a total would have to be hidden that another table
    shows, the campaign is too small to tell figures of.
    """
    told, sent = results.told or 0, results.sent or 0
    states, no_patients = suppress(_numbers(results.states))
    no_told = no_patients or states[_place(results.states, CampaignRecipient.State.TOLD)]
    no_sent = no_told or any(suppress([sent, told - sent])[0])
    channels, without_sent = suppress(_numbers(results.channels), hide_total=no_sent)
    answers, without_told = suppress(_numbers(results.answers), hide_total=no_told)
    whole = no_patients or (without_told and not no_told) or (without_sent and not no_sent)
    for table, hidden in (
        (results.states, states),
        (results.channels, channels),
        (results.answers, answers),
    ):
        for figure, hide in zip(table, hidden, strict=True):
            _hide(figure, whole or hide)
    for figure in results.afterwards:
        count = figure.count or 0
        pair, _total = suppress([count, told - count], hide_total=no_told)
        of_answers = figure.name in OF_ANSWERS and any(answers)
        _hide(figure, whole or any(pair) or of_answers)
    results.suppressed = any(
        figure.count is None
        for figure in (*results.states, *results.channels, *results.answers, *results.afterwards)
    )
    if whole:
        results.patients = None
    if whole or no_told:
        results.told = None
        _without_total([*results.answers, *results.afterwards])
    if whole or no_sent:
        results.sent = None
        _without_total(results.channels)
    if whole or no_sent or any(channels):
        results.cost_sek = None


def _numbers(figures: Sequence[Figure]) -> list[int]:
    return [figure.count or 0 for figure in figures]


def _place(figures: Sequence[Figure], name: str) -> int:
    return next(place for place, figure in enumerate(figures) if figure.name == name)


def _hide(figure: Figure, hide: bool) -> None:
    if hide:
        figure.count = None


def _without_total(figures: Sequence[Figure]) -> None:
    """A share would give the total back."""
    for figure in figures:
        figure.of = None


def rows_of(results: Results) -> list[list[Any]]:
    """The figures as rows of a file: table, figure, count, share; hidden ones as a word."""
    tables = (
        (_("Patienter"), results.states),
        (_("Skickat"), results.channels),
        (_("Svar"), results.answers),
        (_("Därefter"), results.afterwards),
    )
    rows = [
        [table, figure.label, _cell(figure.count), _cell(_rounded(figure.percent))]
        for table, figures in tables
        for figure in figures
    ]
    cost = HIDDEN if results.cost_sek is None else float(results.cost_sek)
    return [*rows, [_("Kostnad"), _("Kronor"), cost, ""]]


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 1)


def _cell(value: Any) -> Any:
    return HIDDEN if value is None else value


def headings() -> list[str]:
    return [_("Tabell"), _("Uppgift"), _("Antal"), _("Andel, %")]
