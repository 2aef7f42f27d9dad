"""The offer's text, as the app below has registered for it (referral.texts)."""

from datetime import datetime
from random import Random

from django.utils.translation import gettext as _

from notices.texts import writing
from notices.texts.kinds import TextKind
from notices.texts.models import WrittenOffer
from notices.texts.services import kept
from notices.texts.values import as_json, values_of
from organisations.errors import InvalidInput
from organisations.languages import said_languages
from organisations.models import Region
from referral.models import Case, Offer
from referral.texts import Draft, OfferFacts, Wishes


class OfferWriter:
    """See :class:`referral.texts.Writer`."""

    def write(
        self, facts: OfferFacts, *, wishes: Wishes, now: datetime, chance: Random | None
    ) -> Draft:
        case = facts.case
        values = values_of(TextKind.OFFER, case=case, now=now, facts=facts)
        said = said_languages(case.patient.language)
        written = writing.write_values(
            TextKind.OFFER,
            values,
            region=case.region,
            codes=[wishes.language] if wishes.language else sorted(said),
            easy=wishes.easy,
            chance=chance or draw_of(case),
        )
        if wishes.language and written.language != wishes.language:
            text = _("Det finns inget erbjudande på det språket.")
            raise InvalidInput(text, fields={"language": text})

        def keep(offer: Offer) -> None:
            version = kept(written.version, now=now)
            WrittenOffer.objects.create(offer=offer, version=version, values=as_json(values))

        return Draft(written.body, written.language, written.easy, keep)

    def languages(self, region: Region) -> list[str]:
        return writing.languages(TextKind.OFFER, region)


def draw_of(case: Case) -> Random:
    """The chance of the case's next offer: the same each time it is looked at before it is sent,
    so that the navigator reads what the patient gets, and unlike from case to case."""
    return draw(case.number, case.offers.count() + 1)


def draw(case_number: str, serial: int) -> Random:
    """See :func:`draw_of`."""
    return Random(f"{case_number}/{serial}")  # noqa: S311 - a draw, no secret  # nosec B311
