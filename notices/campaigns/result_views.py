"""What came of a campaign: figures, the patients behind them, and answers by phone and letter."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.files.writing import xlsx_file
from notices.campaigns.answers import ANSWERED, record_answer
from notices.campaigns.forms import AnswerForm, NumberForm
from notices.campaigns.models import Answer, Campaign, CampaignRecipient
from notices.campaigns.results import NO_ANSWER, headings, results_of, rows_of
from notices.campaigns.selectors import MAY_SEE, SEES_PATIENTS, also_waiting, recipients_of
from notices.campaigns.views import campaign_or_404
from notices.models import Notice
from organisations.access import Actor, record_access
from organisations.models import Role
from organisations.pages import actor_of, attachment, page_of, pager, roles_required
from organisations.spreadsheets import csv_bytes
from referral.selectors import find_by_number
from referral.views.shared import submitted


def _started_or_404(actor: Actor, pk: int) -> Campaign:
    campaign = campaign_or_404(actor, pk)
    if not campaign.is_started:
        raise Http404
    return campaign


@roles_required(*MAY_SEE)
def campaign_result(request: HttpRequest, pk: int) -> HttpResponse:
    """The figures; a navigator finds the patients behind them and notes an answer."""
    actor = actor_of(request)
    campaign = _started_or_404(actor, pk)
    sees = actor.role in SEES_PATIENTS
    form = NumberForm(request.GET if "number" in request.GET else None)
    if sees and form.is_bound and form.is_valid():
        number = form.cleaned_data["number"].replace("\x00", "")
        case = find_by_number(actor, number)
        if case and recipients_of(campaign, actor).filter(case=case).exists():
            return redirect("campaign-answer", pk=pk, number=case.number)
        form.add_error("number", _("Kampanjen har inget ärende med det numret."))
    context = {
        "campaign": campaign,
        "results": results_of(campaign, actor),
        "sees_patients": sees,
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "notices/campaigns/result.html", context, status=status)


@roles_required(*MAY_SEE)
def campaign_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The figures as CSV or XLSX; no patient in them."""
    actor = actor_of(request)
    campaign = _started_or_404(actor, pk)
    if kind not in {"csv", "xlsx"}:
        raise Http404
    rows = [[_("Kampanj"), campaign.name, "", ""], *rows_of(results_of(campaign, actor))]
    if kind == "csv":
        content = csv_bytes(headings(), rows)
    else:
        content = xlsx_file([headings(), *rows], sheet=_("Kampanj"))
    return attachment(content, f"kampanj-{campaign.pk}.{kind}")


@roles_required(Role.NAVIGATOR)
def campaign_recipients(request: HttpRequest, pk: int) -> HttpResponse:
    """The patients behind a figure, with the other cases in which they wait."""
    actor, now = actor_of(request), timezone.now()
    campaign = _started_or_404(actor, pk)
    found = recipients_of(campaign, actor)
    title = _("Alla patienter")
    chosen = {name: request.GET.get(name, "") for name in ("answer", "state", "channel")}
    if chosen["answer"] in {*Answer.values, NO_ANSWER}:
        answer = chosen["answer"]
        found = found.filter(
            answer="" if answer == NO_ANSWER else answer, state=CampaignRecipient.State.TOLD
        )
        title = _("Inget svar") if answer == NO_ANSWER else str(Answer(answer).label)
    elif chosen["state"] in CampaignRecipient.State.values:
        found = found.filter(state=chosen["state"])
        title = str(CampaignRecipient.State(chosen["state"]).label)
    elif chosen["channel"] in Notice.Channel.values:
        found = found.filter(notice__channel=chosen["channel"], notice__sent_at__isnull=False)
        title = str(Notice.Channel(chosen["channel"]).label)
    page = page_of(found, request)
    rows = list(page)
    others = also_waiting(rows, actor)
    cases = [row.case for row in rows] + [case for one in others.values() for case in one]
    shown = sorted({(case.number, case.patient_id) for case in cases})
    record_access(actor, what="campaign_patients", now=now, cases=shown)
    context = {
        "campaign": campaign,
        "title": title,
        "rows": [(row, others.get(row.patient_id, [])) for row in rows],
        "count": page.paginator.count,
    }
    return render(request, "notices/campaigns/recipients.html", context | pager(page, request))


@roles_required(Role.NAVIGATOR)
def campaign_answer(request: HttpRequest, pk: int, number: str) -> HttpResponse:
    """Note what a patient has answered by phone or letter."""
    actor, now = actor_of(request), timezone.now()
    campaign = _started_or_404(actor, pk)
    row = get_object_or_404(recipients_of(campaign, actor), case__number=number)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if submitted(
        request,
        form,
        lambda: record_answer(row, **form.cleaned_data, actor=actor, now=now),
        label=ANSWERED.label,
    ):
        return redirect("campaign-result", pk=pk)
    others = also_waiting([row], actor).get(row.patient_id, [])
    shown = [(case.number, case.patient_id) for case in (row.case, *others)]
    record_access(actor, what="campaign_row", now=now, cases=shown)
    context: dict[str, Any] = {
        "campaign": campaign,
        "row": row,
        "case": row.case,
        "form": form,
        "others": others,
    }
    status = 422 if form.errors else 200
    return render(request, "notices/campaigns/answer.html", context, status=status)
