"""The offer's text, as the app below has registered for it (referral.texts)."""

from datetime import datetime
from random import Random

from notices.texts.kinds import TextKind
from notices.texts.shipped import shipped_texts
from notices.texts.values import values_of
from notices.texts.writing import write_values
from organisations.models import Region
from referral.models import Offer
from referral.texts import Draft, OfferFacts, Wishes


class OfferWriter:
    """See :class:`referral.texts.Writer`."""

    def write(
        self, facts: OfferFacts, *, wishes: Wishes, now: datetime, chance: Random | None
    ) -> Draft:
        values = values_of(TextKind.OFFER, case=facts.case, now=now, facts=facts)
        written = write_values(
            TextKind.OFFER,
            values,
            case=facts.case,
            language=wishes.language or None,
            easy=wishes.easy,
        )

        def keep(offer: Offer) -> None:
            """Kept with the offer in the same transaction."""

        return Draft(written.body, written.language, written.easy, keep)

    def languages(self, region: Region) -> list[str]:
        return sorted({code for kind, code, _easy in shipped_texts() if kind == TextKind.OFFER})
