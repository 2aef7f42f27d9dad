"""What is done with texts: drafted, published, taken out of use, and kept once used."""

import re
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from notices.texts.kinds import TextKind
from notices.texts.models import VARIANT_SHAPE, TextVersion
from notices.texts.rules import problems_of
from notices.texts.syntax import LONGEST
from organisations.access import Actor
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.languages import language_names
from organisations.models import Region, Role

State = TextVersion.State


def save_draft(
    *,
    kind: str,
    language: str,
    easy: bool,
    variant: str,
    subject: str,
    body: str,
    actor: Actor,
    now: datetime,
) -> TextVersion:
    """Save the region's draft of a text, complete or not; there is one draft of each variant.

    Raises :class:`InvalidInput` for an unknown kind or language, and for what cannot be kept.
    """
    region = _own_region(actor)
    variant = variant.strip() or "A"
    _refuse_unkept(kind, language, variant, subject=subject, body=body)
    same = TextVersion.objects.filter(
        region=region, kind=kind, language=language, easy=easy, variant=variant
    )

    def save() -> TextVersion:
        draft = same.select_for_update().filter(state=State.DRAFT).first()
        if draft is None:
            last = same.aggregate(last=Max("number"))["last"] or 0
            draft = TextVersion(
                region=region,
                kind=kind,
                language=language,
                easy=easy,
                variant=variant,
                number=last + 1,
            )
        draft.subject, draft.body = subject.strip(), _lines(body)
        draft.saved_at, draft.saved_by_id = now, actor.user_id
        draft.save()
        return draft

    return _together(save)


def _own_region(actor: Actor) -> Region:
    if actor.role != Role.REGION_ADMIN or not actor.region:
        raise NotAllowed(_("Bara regionens administratör ändrar texterna."))
    return Region.objects.get(code=actor.region)


def _refuse_unkept(kind: str, language: str, variant: str, *, subject: str, body: str) -> None:
    problems: dict[str, str] = {}
    if kind not in TextKind.values:
        problems["kind"] = _("Välj vilken text det är.")
    if language not in language_names():
        problems["language"] = _("Välj ett språk i listan.")
    if not re.fullmatch(VARIANT_SHAPE, variant):
        problems["variant"] = _("Varianten är bokstäver, siffror och bindestreck, högst 20.")
    elif kind != TextKind.OFFER and variant != "A":
        problems["variant"] = _("Bara erbjudanden kan ha flera varianter.")
    if len(subject) > 200 or "\n" in subject.strip():
        problems["subject"] = _("Rubriken är en rad, högst 200 tecken.")
    if len(body) > LONGEST:
        problems["body"] = _("Texten är högst %(most)s tecken.") % {"most": LONGEST}
    for name, text in (("subject", subject), ("body", body)):
        if "\x00" in text or text.encode(errors="replace").decode() != text:
            problems[name] = _("Texten innehåller tecken som inte kan sparas.")
    if problems:
        raise InvalidInput(_("Texten kan inte sparas."), fields=problems)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _together(save: Callable[[], TextVersion]) -> TextVersion:
    """Two who save at the same moment: the second finds what the first made."""
    try:
        with transaction.atomic():
            return save()
    except IntegrityError:
        with transaction.atomic():
            return save()


@transaction.atomic
def publish(version: TextVersion, *, actor: Actor, now: datetime) -> TextVersion:
    """Take a draft into use in place of what was; from then on it is never changed.

    Raises :class:`InvalidInput` with every problem by input when the text would leave a patient
    without something the kind must tell.
    """
    locked = _locked(version, actor=actor)
    if locked.state != State.DRAFT:
        raise WrongState(_("Bara ett utkast kan tas i bruk."))
    problems = problems_of(locked.kind, subject=locked.subject, body=locked.body)
    if problems:
        raise InvalidInput(
            _("Texten kan inte tas i bruk än."),
            fields={name: " ".join(told) for name, told in problems.items()},
        )
    TextVersion.objects.filter(
        region=locked.region,
        kind=locked.kind,
        language=locked.language,
        easy=locked.easy,
        variant=locked.variant,
        state=State.PUBLISHED,
    ).update(state=State.REPLACED, replaced_at=now)
    locked.state = State.PUBLISHED
    locked.published_at, locked.published_by_id = now, actor.user_id
    locked.save(update_fields=["state", "published_at", "published_by"])
    return locked


@transaction.atomic
def withdraw(version: TextVersion, *, actor: Actor, now: datetime) -> TextVersion:
    """Take a text out of use; without another of its own the region uses the product's."""
    locked = _locked(version, actor=actor)
    if locked.state != State.PUBLISHED:
        raise WrongState(_("Texten är inte i bruk."))
    locked.state, locked.replaced_at = State.REPLACED, now
    locked.save(update_fields=["state", "replaced_at"])
    return locked


@transaction.atomic
def discard(version: TextVersion, *, actor: Actor, now: datetime) -> None:
    """Throw a draft away."""
    locked = _locked(version, actor=actor)
    if locked.state != State.DRAFT:
        raise WrongState(_("Bara ett utkast kan kastas."))
    locked.delete()


def _locked(version: TextVersion, *, actor: Actor) -> TextVersion:
    region = _own_region(actor)
    return TextVersion.objects.select_for_update().get(pk=version.pk, region=region)


def kept(version: TextVersion, *, now: datetime) -> TextVersion:
    """The row of a version that was used; one the product comes with gets its row now.

    A new edition of the product's text replaces the row of the old one.
    """
    if version.pk:
        return version
    same = TextVersion.objects.filter(
        region=None, kind=version.kind, language=version.language, easy=version.easy
    )

    def save() -> TextVersion:
        row = same.filter(state=State.PUBLISHED).first()
        if row and (row.subject, row.body) == (version.subject, version.body):
            return row
        last = same.aggregate(last=Max("number"))["last"] or 0
        same.filter(state=State.PUBLISHED).update(state=State.REPLACED, replaced_at=now)
        return TextVersion.objects.create(
            kind=version.kind,
            language=version.language,
            easy=version.easy,
            number=last + 1,
            state=State.PUBLISHED,
            subject=version.subject,
            body=version.body,
            saved_at=now,
            published_at=now,
        )

    return _together(save)
