"""Pages where a region's administrator writes, previews, publishes and compares the texts."""

import re
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from notices.texts import services
from notices.texts.comparing import outcomes
from notices.texts.forms import NewTextForm, TextForm
from notices.texts.kinds import TextKind
from notices.texts.models import VARIANT_SHAPE, TextVersion
from notices.texts.selectors import (
    Key,
    contents_help,
    ease_of,
    fields_help,
    preview_of,
    starting_text,
    text_rows,
    versions_of,
)
from organisations.access import Actor
from organisations.languages import language_names
from organisations.models import Region, Role
from organisations.pages import actor_of, roles_required
from organisations.plain_forms import attempt

State = TextVersion.State


@roles_required(Role.REGION_ADMIN)
def texts_page(request: HttpRequest) -> HttpResponse:
    """Every text by kind, with its state."""
    return render(
        request, "notices/texts/list.html", {"kinds": text_rows(_region(actor_of(request)))}
    )


@roles_required(Role.REGION_ADMIN)
def text_new(request: HttpRequest) -> HttpResponse:
    """Choose kind, language, ease and variant of a text to write."""
    form = NewTextForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        ease = ease_of(easy=data["easy"])
        return redirect("text", data["kind"], data["language"], ease, data["variant"])
    status = 422 if form.errors else 200
    return render(request, "notices/texts/new.html", {"form": form}, status=status)


@roles_required(Role.REGION_ADMIN)
def text_page(
    request: HttpRequest, kind: str, language: str, ease: str, variant: str
) -> HttpResponse:
    """One text: its draft with preview and problems, its versions, and what is done with them."""
    actor, now = actor_of(request), timezone.now()
    key = _key_or_404(kind, language, ease, variant)
    region = _region(actor)
    versions = versions_of(region, key)
    source = starting_text(key, versions)
    form = TextForm(
        request.POST if request.method == "POST" else None,
        initial={"subject": source.subject, "body": source.body},
    )
    status = 200
    if request.method == "POST" and not form.is_valid():
        status = 422
    elif request.method == "POST" and "preview" not in request.POST:
        done, refused = attempt(form, lambda: _save(request, form, key, actor=actor, now=now))
        if done:
            messages.success(request, done)
            return redirect("text", kind, language, ease, variant)
        status = refused or 200
    typed = form.cleaned_data if form.is_bound and status != 422 else None
    subject, body = _typed(form, source) if typed is None else (typed["subject"], typed["body"])
    context = {
        "form": form,
        "kind": TextKind(kind),
        "language": language_names()[language],
        "code": language,
        "easy": key[2],
        "variant": variant,
        "direction": TextVersion(language=language).direction,
        "versions": versions_of(region, key) if status == 422 else versions,
        "preview": preview_of(key, subject=subject, body=body),
        "fields": fields_help(kind),
        "contents": contents_help(kind),
    }
    return render(request, "notices/texts/text.html", context, status=status)


def _typed(form: TextForm, source: TextVersion) -> tuple[str, str]:
    """What stands in the editor, however wrong."""
    if form.is_bound:
        return str(form.data.get("subject", "")), str(form.data.get("body", ""))
    return source.subject, source.body


def _save(request: HttpRequest, form: TextForm, key: Key, *, actor: Actor, now: datetime) -> str:
    """Save the draft, and publish it when that was asked for; returns what to say."""
    kind, language, easy, variant = key
    draft = services.save_draft(
        kind=kind,
        language=language,
        easy=easy,
        variant=variant,
        **form.cleaned_data,
        actor=actor,
        now=now,
    )
    if "publish" not in request.POST:
        return _("Utkastet är sparat.")
    services.publish(draft, actor=actor, now=now)
    return _("Texten är i bruk.")


@roles_required(Role.REGION_ADMIN)
def text_version(request: HttpRequest, pk: int) -> HttpResponse:
    """One version as it was written; a POST takes it out of use, or throws the draft away."""
    actor, now = actor_of(request), timezone.now()
    version = get_object_or_404(TextVersion, pk=pk, region=_region(actor))
    key: Key = (version.kind, version.language, version.easy, version.variant)
    if request.method == "POST":
        if version.state == State.DRAFT:
            services.discard(version, actor=actor, now=now)
            messages.success(request, _("Utkastet är kastat."))
        elif version.state == State.PUBLISHED:
            services.withdraw(version, actor=actor, now=now)
            messages.success(request, _("Texten är ur bruk."))
        return redirect("texts")
    preview = preview_of(key, subject=version.subject, body=version.body)
    return render(request, "notices/texts/version.html", {"version": version, "preview": preview})


@roles_required(Role.REGION_ADMIN)
def texts_compared(request: HttpRequest) -> HttpResponse:
    """The variants of the offer beside each other, in figures."""
    groups = outcomes(_region(actor_of(request)))
    return render(request, "notices/texts/compare.html", {"groups": groups})


def _region(actor: Actor) -> Region:
    return get_object_or_404(Region, code=actor.region)


def _key_or_404(kind: str, language: str, ease: str, variant: str) -> Key:
    known = kind in TextKind.values and language in language_names() and ease in {"plain", "easy"}
    shaped = re.fullmatch(VARIANT_SHAPE, variant) and (kind == TextKind.OFFER or variant == "A")
    if not (known and shaped):
        raise Http404
    return kind, language, ease == "easy", variant
