"""What patients answer to a campaign, whichever way it comes, and what follows from it.

An answer concerns the case that the notice names. A later answer takes the place of an earlier
one, until the case has been closed by it.
"""

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.callbacks.services import ask_for_call, has_coming_call
from notices.campaigns.models import Answer, CampaignRecipient
from notices.models import Notice
from organisations.access import PATIENT, Actor, as_product
from organisations.errors import DomainError, InvalidInput, NotAllowed, WrongState
from organisations.models import Role
from referral.machine import BEFORE_PROVIDER, Transition, perform
from referral.models import PATIENTS_OWN, AnswerChannel, Case, CaseState, LogVerb
from referral.services import leave_list

ANSWERED = Transition(
    verb=LogVerb.CAMPAIGN_ANSWER,
    label=gettext_lazy("Anteckna svar på kampanjen"),
    sources=frozenset(CaseState),
    roles=frozenset({Role.NAVIGATOR, PATIENT}),
    needs=gettext_lazy("svar och svarsväg"),
)
# What the navigator is to call about.
CALL_ABOUT = {
    Answer.CALL: gettext_lazy("Kampanj: vill bli uppringd"),
    Answer.ELSEWHERE: gettext_lazy("Kampanj: vill ha vården hos en annan vårdgivare"),
    # Where a provider has taken the case, a person tells it and the patient.
    Answer.NOT_NEEDED: gettext_lazy("Kampanj: behöver inte vården, men vårdgivaren har remissen"),
}
UNSENT = (Notice.State.WAITING, Notice.State.HELD, Notice.State.FAILED)


@transaction.atomic
def record_answer(
    recipient: CampaignRecipient,
    *,
    answer: str,
    channel: str,
    actor: Actor,
    now: datetime,
    comment: str = "",
) -> CampaignRecipient:
    """Keep the answer and do what it asks for.

    ``not_needed`` closes the case, so that the patient leaves the waiting list; ``call`` and
    ``elsewhere`` become calls to make. Raises :class:`InvalidInput` at the field, and
    :class:`WrongState` for a patient who was not told or whose answer has closed the case.
    """
    _check(answer, channel, actor)
    why = comment.strip()[:2000]

    def change(_case: Case) -> None:
        row = CampaignRecipient.objects.select_for_update().get(pk=recipient.pk)
        if row.state != CampaignRecipient.State.TOLD:
            raise WrongState(_("Patienten har inte fått något meddelande i kampanjen."))
        if row.answer == Answer.NOT_NEEDED and _case.state == CaseState.CLOSED:
            raise WrongState(_("Svaret har redan avslutat ärendet."), code="answer_closed_case")
        row.answer, row.answer_channel, row.answered_at = answer, channel, now
        row.save(update_fields=["answer", "answer_channel", "answered_at"])
        _settle_notice(row, channel=channel, now=now)

    case = perform(
        recipient.case,
        ANSWERED,
        actor=actor,
        now=now,
        why=why,
        details={"answer": answer, "channel": channel, "campaign": recipient.campaign_id},
        change=change,
    )
    _follow(case, Answer(answer), channel=channel, actor=actor, now=now, comment=why)
    recipient.refresh_from_db()
    return recipient


def _check(answer: str, channel: str, actor: Actor) -> None:
    problems = {}
    if answer not in Answer.values:
        problems["answer"] = _("Välj patientens svar.")
    if channel not in AnswerChannel.values:
        problems["channel"] = _("Välj hur svaret kom: 1177, telefon eller brev.")
    if problems:
        raise InvalidInput(_("Svaret kan inte antecknas."), fields=problems)
    if channel in PATIENTS_OWN and actor.role != PATIENT:
        raise NotAllowed(_("Svar i 1177 och på egna sidan lämnar patienten själv."))


def _settle_notice(row: CampaignRecipient, *, channel: str, now: datetime) -> None:
    """The notice is answered; one that has not left is needless."""
    notice = Notice.objects.select_for_update(of=("self",)).filter(recipient=row).first()
    if notice is None:
        return
    if channel == AnswerChannel.INBOX or notice.sent_at:
        notice.state = Notice.State.ANSWERED
        notice.sent_at = notice.sent_at or now
        if channel == AnswerChannel.INBOX:
            notice.read_at = notice.read_at or now
    elif notice.state in UNSENT:
        notice.state = Notice.State.CANCELLED
        notice.last_error = _("Patienten har redan svarat.")
    notice.save(update_fields=["state", "sent_at", "read_at", "last_error"])


def _follow(
    case: Case, answer: Answer, *, channel: str, actor: Actor, now: datetime, comment: str
) -> None:
    """What the answer asks for; of a case that has closed, nothing."""
    if case.state == CaseState.CLOSED:
        return
    if answer == Answer.NOT_NEEDED and case.state in BEFORE_PROVIDER:
        leave_list(case, channel=channel, actor=actor, now=now, comment=comment)
    elif answer in CALL_ABOUT and not has_coming_call(case):
        with suppress(WrongState):  # one has come in this moment
            ask_for_call(case, about=str(CALL_ABOUT[answer]), channel=channel, actor=actor, now=now)


def answer_from_inbox(notice: Notice, answer: object, *, now: datetime) -> str:
    """Take the patient's ``{"choice": …}`` in 1177, and say in a word what became of it.

    Raises :class:`InvalidInput` for what is none of the message's choices.
    """
    choice = answer.get("choice") if isinstance(answer, dict) else None
    if not isinstance(choice, str) or choice not in Answer.values or notice.recipient is None:
        raise InvalidInput(_("Svaret saknas."), fields={"answer": _("Svaret saknas.")})
    try:
        with transaction.atomic():
            record_answer(
                notice.recipient,
                answer=choice,
                channel=AnswerChannel.INBOX,
                actor=Actor.patient("Patienten i 1177"),
                now=now,
            )
    except InvalidInput:
        raise
    except DomainError as error:
        return f"not taken: {error.code}"
    return choice


def question_to(case: Case) -> CampaignRecipient | None:
    """The latest campaign that asks the patient about this case and has no answer yet."""
    with as_product("campaign's question"):
        return (
            CampaignRecipient.objects.filter(
                case=case, state=CampaignRecipient.State.TOLD, answered_at__isnull=True
            )
            .select_related("case")
            .order_by("-pk")
            .first()
        )


@transaction.atomic
def answer_from_own_page(case: Case, *, answer: str, actor: Actor, now: datetime) -> None:
    """Take the patient's answer on the own page: to the campaign that asks, else that the care is
    needed no longer, which nobody has to ask first.

    Raises :class:`InvalidInput` at the field and :class:`WrongState` once a provider has the case.
    """
    question = question_to(case)
    channel = AnswerChannel.OWN_PAGE
    if question is None and answer != Answer.NOT_NEEDED:
        text = _("Frågan är redan besvarad.")
        raise WrongState(text, code="no_question")
    with as_product("answer on the own page"):
        if question is None:
            leave_list(case, channel=channel, actor=actor, now=now)
        else:
            record_answer(question, answer=answer, channel=channel, actor=actor, now=now)
