"""What leaves with a notice: its text, and what is added at the last moment."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from notices.models import AnswerCode, Notice
from notices.own_page.codes import answer_code
from organisations.access import as_product

# What lets the patient see where the case stands; the rest is for staff.
LEADS_TO_THE_PAGE = frozenset(
    {
        Notice.Kind.OFFER,
        Notice.Kind.OFFER_LETTER,
        Notice.Kind.OFFER_REMINDER,
        Notice.Kind.BOOKED_TIME,
        Notice.Kind.CONFIRMATION,
        Notice.Kind.GUARANTEE,
        Notice.Kind.ANSWER_CODE,
        Notice.Kind.CAMPAIGN,
    }
)
ASKS_FOR_AN_ANSWER = Notice.OF_OFFER | {Notice.Kind.CAMPAIGN}
# What is added has words in these languages; beside a text in another it is Swedish.
SAID_IN = frozenset({"sv", "en"})


def in_its_language(notice: Notice) -> AbstractContextManager[None]:
    """What is said beside the notice's text, in its language where there are words in it."""
    return translation.override(notice.language if notice.language in SAID_IN else "sv")


class AnswerPlace(NamedTuple):
    """Where the patient answers: the address without and with the case number, and the code."""

    page: str
    url: str
    code: str


def answer_place(notice: Notice) -> AnswerPlace | None:
    """Where the notice leads, ``None`` for one that leads nowhere. The code is in no address.

    The same each time until a navigator makes a new code, which waits for what is being sent
    (notices.own_page.services.new_code).
    """
    if notice.channel not in Notice.TO_PATIENT or notice.kind not in LEADS_TO_THE_PAGE:
        return None
    if notice.answer_serial is None:
        read_serials([notice])
    return _place(notice.case.number, serial=notice.answer_serial or 1)


def read_serials(notices: Sequence[Notice]) -> None:
    """Ask once which code each of the notices' cases has, where they leave together."""
    found = _serials({notice.case.number for notice in notices})
    for notice in notices:
        notice.answer_serial = found.get(notice.case.number, 1)


def place_for(number: str) -> AnswerPlace:
    """Where the patient of the case with this number answers."""
    return _place(number, serial=_serials({number}).get(number, 1))


def _serials(numbers: Collection[str]) -> dict[str, int]:
    with as_product("answer code"):
        codes = AnswerCode.objects.filter(case_number__in=numbers)
        return dict(codes.values_list("case_number", "serial"))


def _place(number: str, *, serial: int) -> AnswerPlace:
    page = str(settings.BASE_URL) + _path()
    # As the address "own-page-number" is made, which takes long for tens of thousands.
    return AnswerPlace(
        page=page,
        url=f"{page}{quote(number)}/",
        code=answer_code(number, serial=serial),
    )


@cache
def _path() -> str:
    return reverse("own-page")


def body_of(notice: Notice) -> str:
    """The text as the patient gets it, the same each time the notice is handed over.

    The gateway refuses another text under the same idempotency key, so nothing here may depend on
    the time. The code is in what leaves and not in the row, which staff read.
    """
    place = answer_place(notice)
    if place is None:
        return notice.body
    with in_its_language(notice):
        return f"{notice.body.rstrip()}\n\n{how_to_answer(notice, place)}\n"


def how_to_answer(notice: Notice, place: AnswerPlace) -> str:
    """Address, case number and code in the language that is being spoken, under a heading."""
    said = {"page": place.page, "url": place.url, "code": place.code, "number": notice.case.number}
    if notice.kind in ASKS_FOR_AN_ANSWER:
        text = _(
            "Så svarar du på nätet\n\n"
            "Gå till %(url)s och legitimera dig. Där svarar du, kan be att bli uppringd och ser "
            "hur det går med ditt ärende.\n\n"
            "Ärendenummer: %(number)s\nSvarskod: %(code)s"
        )
    else:
        text = _(
            "Följ ditt ärende på nätet\n\n"
            "Gå till %(url)s och legitimera dig. Där ser du hur det går med ditt ärende och kan "
            "be att bli uppringd.\n\n"
            "Ärendenummer: %(number)s\nSvarskod: %(code)s"
        )
    return text % said
