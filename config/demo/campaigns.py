"""Two campaigns of Dalarna: one that is done, with answers, and one that awaits its approval."""

from datetime import datetime, timedelta

from django.db.models import F

from notices.campaigns import services
from notices.campaigns.answers import record_answer
from notices.campaigns.models import Answer, Campaign, CampaignRecipient
from notices.campaigns.sweep import run_campaigns
from notices.models import Notice
from organisations.access import Actor
from referral.models import AnswerChannel

# As the patients answered, the first of them first; the rest have not.
ANSWERS = (
    *(Answer.STILL_NEEDED, Answer.NOT_NEEDED, Answer.ELSEWHERE, Answer.STILL_NEEDED),
    *(Answer.STILL_NEEDED, Answer.CALL),
)


def make_campaigns(preparer: Actor | None, approver: Actor | None, *, now: datetime) -> int:
    """The finished one started a week ago; what it sent was sent then."""
    if preparer is None or approver is None:
        return 0
    began = now - timedelta(days=7)
    done = services.prepare(
        name="Vill du få vården tidigare?", criteria={"waited": 5}, actor=preparer, now=began
    )
    services.approve(done, seen_version=1, actor=approver, now=began)
    services.start(done, actor=preparer, now=began)
    while run_campaigns(now=began):
        pass
    _answered(done, began=began)
    while run_campaigns(now=now):
        pass
    services.prepare(
        name="Behöver du fortfarande operationen?",
        criteria={"waited": 10, "phase": "treatment"},
        message="Vi har fått fler avtal med andra vårdgivare.",
        per_hour=600,
        actor=preparer,
        now=now - timedelta(hours=3),
    )
    return Campaign.objects.count()


def _answered(campaign: Campaign, *, began: datetime) -> None:
    notices = Notice.objects.filter(recipient__campaign=campaign)
    letters = notices.annotate(lot=F("case_id") % 4).filter(lot=0)
    letters.update(channel=Notice.Channel.LETTER, why_channel=Notice.Why.NEITHER)
    notices.filter(channel=Notice.Channel.INBOX).update(why_channel=Notice.Why.INBOX)
    notices.update(state=Notice.State.SENT, sent_at=F("due_at"), attempts=1)
    inbox = CampaignRecipient.objects.filter(
        campaign=campaign, notice__channel=Notice.Channel.INBOX
    )
    # Those whom nothing has happened to since: a case's log goes forward in time.
    told = inbox.exclude(case__log__at__gte=began).select_related("case").order_by("pk")
    for days, (row, answer) in enumerate(zip(told, ANSWERS, strict=False)):
        record_answer(
            row,
            answer=answer,
            channel=AnswerChannel.INBOX,
            actor=Actor.patient("Patienten i 1177"),
            now=began + timedelta(days=1 + days % 5, hours=days),
        )
