"""The text of a campaign: written for one case, refused when something it needs is not known.

The approval keeps the versions that were in use, which the database lets nobody change: what was
approved is what is sent, whatever is published meanwhile.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from notices.campaigns.models import Campaign
from notices.models import Notice, TextVersion
from notices.texts.kinds import TextKind, example_values
from notices.texts.services import kept
from notices.texts.values import MissingField, values_of
from notices.texts.writing import SWEDISH, fill, in_use, languages, shipped_version
from organisations.languages import said_languages
from organisations.models import Region
from referral.models import Case

KIND = TextKind.CAMPAIGN
# By language and whether it is easy to read.
Texts = dict[tuple[str, bool], TextVersion]


class CannotBeWritten(Exception):
    """A field that the text needs has no value; the words say which."""


def texts_of(campaign: Campaign) -> Texts:
    """The versions the campaign was approved with; until then those in use."""
    if not campaign.text_versions:
        return _in_use(campaign.region)
    found = TextVersion.objects.filter(pk__in=campaign.text_versions)
    return {(version.language, version.easy): version for version in found}


def _in_use(region: Region) -> Texts:
    own, found = in_use(KIND, region), {}
    for language in languages(KIND, region):
        for easy in (False, True):
            variants = own.get((language, easy))
            version = variants[0] if variants else shipped_version(KIND, language, easy)
            if version is not None:
                found[language, easy] = version
    return found


def kept_texts(region: Region, *, now: datetime) -> list[int]:
    """The keys of the versions in use, as an approval keeps them."""
    return sorted(kept(version, now=now).pk for version in _in_use(region).values())


def text_for(campaign: Campaign, case: Case, texts: Texts, *, now: datetime) -> dict[str, Any]:
    """What the case's notice says, in the patient's language where there is one of ``texts``.

    Raises :class:`CannotBeWritten`, and the patient gets nothing.
    """
    extra: dict[str, Any] = {
        "decision_day": case.decision_date,
        "answer_by": timezone.localdate(now) + timedelta(days=campaign.answer_days),
        "message": campaign.message,
    }
    try:
        values = values_of(KIND, case=case, now=now, extra=extra)
    except MissingField as error:
        raise CannotBeWritten(str(error.message)) from error
    version = _chosen(texts, case, easy=campaign.easy)
    written = fill(version, values)
    said = {"subject": written.subject, "body": written.body, "language": written.language}
    return said | ({"text_version": version} if version.pk else {})


def _chosen(texts: Texts, case: Case, *, easy: bool) -> TextVersion:
    """In the first of the patient's languages there is, easy where it is wanted and there."""
    for language in (*sorted(said_languages(case.patient.language)), SWEDISH):
        for wanted in (easy, False):
            if (language, wanted) in texts:
                return texts[language, wanted]
    raise CannotBeWritten(_("Det finns ingen text på svenska."))


def example_text(campaign: Campaign) -> dict[str, str]:
    """The Swedish text with made-up values, for those who see no patient."""
    texts = texts_of(campaign)
    version = texts.get((SWEDISH, campaign.easy)) or texts[SWEDISH, False]
    written = fill(version, dict(example_values(KIND)) | {"message": campaign.message})
    return {"subject": written.subject, "body": written.body}


def as_letter(campaign: Campaign, case: Case, *, now: datetime) -> Notice:
    """The letter the case's patient would get, as a row that is not kept."""
    return Notice(
        case=case,
        kind=Notice.Kind.CAMPAIGN,
        channel=Notice.Channel.LETTER,
        sender=case.sending_unit,
        created_at=now,
        due_at=now,
        **text_for(campaign, case, texts_of(campaign), now=now),
    )


def sample_text(campaign: Campaign, case: Case, texts: Texts, *, now: datetime) -> dict[str, Any]:
    """As :func:`text_for`; what is missing stands in the text's place."""
    try:
        return text_for(campaign, case, texts, now=now)
    except CannotBeWritten as error:
        return {"subject": _("Meddelandet stoppas"), "body": str(error)}
