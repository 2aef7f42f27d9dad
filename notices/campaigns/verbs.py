"""What may be done to a campaign, in which states and by whom: one table for services and pages."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notices.campaigns.models import Campaign, CampaignLog, CampaignRecipient
from organisations.access import Actor
from organisations.models import Role

S, V = Campaign.State, CampaignLog.Verb
NAVIGATOR = frozenset({Role.NAVIGATOR})
# Who answers for the campaign need not be who sees the patients.
LEADS = NAVIGATOR | {Role.REGION_ADMIN}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One verb: from which states to which, and which roles of the campaign's region may."""

    verb: CampaignLog.Verb
    label: str | Promise
    sources: frozenset[Campaign.State]
    target: Campaign.State
    roles: frozenset[Role]


_STEPS = (
    Step(
        verb=V.CHANGE,
        label=_("Ändra"),
        sources=frozenset({S.DRAFT, S.APPROVED}),
        target=S.DRAFT,
        roles=NAVIGATOR,
    ),
    Step(
        verb=V.APPROVE,
        label=_("Godkänn"),
        sources=frozenset({S.DRAFT}),
        target=S.APPROVED,
        roles=LEADS,
    ),
    Step(
        verb=V.START,
        label=_("Starta"),
        sources=frozenset({S.APPROVED}),
        target=S.RUNNING,
        roles=NAVIGATOR,
    ),
    Step(
        verb=V.PAUSE,
        label=_("Pausa"),
        sources=frozenset({S.RUNNING}),
        target=S.PAUSED,
        roles=LEADS,
    ),
    Step(
        verb=V.RESUME,
        label=_("Återuppta"),
        sources=frozenset({S.PAUSED, S.STOPPED, S.DONE}),
        target=S.RUNNING,
        roles=NAVIGATOR,
    ),
    Step(
        verb=V.STOP,
        label=_("Stoppa"),
        sources=frozenset({S.RUNNING, S.PAUSED}),
        target=S.STOPPED,
        roles=LEADS,
    ),
    Step(
        verb=V.DISCARD,
        label=_("Kassera"),
        sources=frozenset({S.DRAFT, S.APPROVED}),
        target=S.DISCARDED,
        roles=NAVIGATOR,
    ),
)
STEPS: dict[str, Step] = {step.verb.value: step for step in _STEPS}


def in_the_way(step: Step, campaign: Campaign, actor: Actor) -> str | Promise:
    """Why the actor may not do this to the campaign as it stands; empty when it may be done."""
    if actor.role not in step.roles or actor.region != campaign.region_id:
        return _("Din roll får inte göra detta.")
    if campaign.state not in step.sources:
        return _("Det går inte längre. Kampanjens läge har ändrats.")
    if step.verb == V.APPROVE and actor.user_id in {
        campaign.prepared_by_id,
        campaign.changed_by_id,
    }:
        return _("Den som har förberett eller ändrat kampanjen får inte godkänna den.")
    if step.verb == V.RESUME and campaign.state == S.DONE and not _has_stopped(campaign):
        return _("Alla patienter har fått sitt meddelande.")
    return ""


def _has_stopped(campaign: Campaign) -> bool:
    return campaign.recipients.filter(state=CampaignRecipient.State.STOPPED).exists()


def steps_for(campaign: Campaign, actor: Actor) -> list[Step]:
    """What the actor may do to the campaign now, in the table's order."""
    return [step for step in STEPS.values() if not in_the_way(step, campaign, actor)]
