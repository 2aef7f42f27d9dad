"""The languages of the patient's own page: Swedish, easy Swedish and English.

Each is a locale of Django's. Easy Swedish is one of its own, ``sv-x-lattlast`` (BCP 47: private use
within Swedish), so that every text is written once in the code and has its two other wordings in
``locale/``; what has no easier wording shows as it is.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

EASY = "sv-x-lattlast"
ENGLISH = "en"
SWEDISH = "sv"
NAMES = {SWEDISH: "Svenska", EASY: "Lättläst svenska", ENGLISH: "English"}
ASKED_BY = "language"


def language_of(request: HttpRequest) -> str:
    """What the patient chose on the page, now or before; else what the browser asks for."""
    asked = request.GET.get(ASKED_BY, "")
    if asked in NAMES:
        return asked
    found = translation.get_language_from_request(request)
    return found if found in NAMES else SWEDISH


def remember(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def html_language(language: str) -> str:
    """What a screen reader is to take the page for."""
    return SWEDISH if language == EASY else language
