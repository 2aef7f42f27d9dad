"""The columns of the waiting list, and what their cells mean.

One row is a patient and a procedure. The columns are the form's fields; what a cell means is told
here, whether it holds by ``referral.submission.check`` as for the form.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.files.columns import Column
from contracts.files.values import decimal_of, whole_of
from organisations.models import Equipment
from patients.models import Patient
from referral.codes import normalise_icd10
from referral.models import Consent, IntakeForm, Phase, ReferralCause
from referral.pathways import FirstTreatment, pathway_code

YES = frozenset({"ja", "j", "yes", "y", "1", "true", "sant", "x"})
NO = frozenset({"nej", "n", "no", "0", "false", "falskt"})
# A cell that is formatted as a number shows a date as days since this one.
EXCEL_DAY_0 = date(1899, 12, 30)
_DATES = (
    (re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"), (1, 2, 3)),
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})"), (3, 2, 1)),
)
_MIDNIGHT = re.compile(r"[ T]00:00(:00)?(\.0+)?$")
_EXCEL_DAY = re.compile(r"[2-7]\d{4}")
# What else a choice may be called in a file.
_ALSO = {
    Phase.FIRST_VISIT: ("besök", "nybesök"),
    Phase.TREATMENT: ("operation", "åtgärd"),
    ReferralCause.WAITING_TIME: ("väntetid", "vårdgaranti"),
    ReferralCause.FREE_CHOICE: ("vårdval",),
    ReferralCause.HIGHLY_SPECIALISED: ("högspecialiserad",),
    Patient.Protection.NONE: ("nej", "ingen"),
    Patient.Protection.PROTECTED_REGISTRATION: ("kvarskrivning",),
}


def _text(text: str) -> str:
    return text


def _first_word(text: str) -> str:
    return text.split(maxsplit=1)[0]


def _kva(text: str) -> str:
    return _first_word(text).upper()


def _icd10(text: str) -> str:
    return normalise_icd10(_first_word(text))


def _identity(text: str) -> str:
    """As text; a number is what a spreadsheet that was not told so has made of it."""
    if re.fullmatch(r"\d{7,9}", text) or "E+" in text.upper():
        raise ValueError(
            _("kalkylbladet har ändrat numret. Formatera kolumnen som text och skriv det igen.")
        )
    return text


def _without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


def _municipality(text: str) -> str:
    """The code; a spreadsheet takes its leading zero away."""
    return f"0{text}" if re.fullmatch(r"[0-9]{3}", text) else text


def _day(text: str) -> date:
    plain = _MIDNIGHT.sub("", text)
    if _EXCEL_DAY.fullmatch(plain):
        return EXCEL_DAY_0 + timedelta(days=int(plain))
    for pattern, places in _DATES:
        if found := pattern.fullmatch(plain):
            year, month, day = (int(found.group(place)) for place in places)
            try:
                return date(year, month, day)
            except ValueError:
                break
    raise ValueError(_("skriv datumet som ÅÅÅÅ-MM-DD."))


def _yes_no(text: str) -> bool:
    word = text.casefold()
    if word not in YES | NO:
        raise ValueError(_("skriv ja eller nej."))
    return word in YES


def _yes_no_code(text: str) -> str:
    return "yes" if _yes_no(text) else "no"


def _small(text: str) -> int:
    """A whole number; what it may be the check says."""
    value = whole_of(text)
    if value > 99_999:
        raise ValueError(_("talet är för stort."))
    return value


def _bmi(text: str) -> Decimal:
    value = decimal_of(text)
    if value.adjusted() > 6 or value != round(value, 1):
        raise ValueError(_("skriv talet med högst en decimal."))
    return round(value, 1)


def _choice(choices: type[TextChoices]) -> Callable[[str], str]:
    """By its code, its Swedish words (the file is read in Swedish) or what else it is called."""

    @cache
    def codes() -> dict[str, str]:
        return {
            name.casefold(): str(choice.value)
            for choice in choices
            for name in (choice.value, str(choice.label), *_ALSO.get(choice, ()))
        }

    def read(text: str) -> str:
        code = codes().get(text.casefold())
        if code is None:
            labels = ", ".join(str(label) for label in choices.labels)
            raise ValueError(_("välj något av: %(names)s.") % {"names": labels})
        return code

    return read


def short_name(equipment: Equipment) -> str:
    """The Swedish name without what stands in brackets."""
    return str(equipment.label).partition("(")[0].strip()


def _equipment(text: str) -> tuple[str, ...]:
    names = {
        name.casefold(): str(one.value)
        for one in Equipment
        for name in (one.value, short_name(one))
    }
    wanted = [part.strip().casefold() for part in re.split(r"[,;\n]", text) if part.strip()]
    unknown = [part for part in wanted if part not in names]
    if unknown:
        raise ValueError(_("okänd utrustning: %(names)s.") % {"names": ", ".join(unknown)[:80]})
    return tuple(names[part] for part in wanted)


class Field(NamedTuple):
    """A column, and how its cell is read; a cell that cannot be raises ``ValueError``."""

    column: Column
    read: Callable[[str], Any]
    required: bool = False


def _field(
    key: str, heading: str, help_text: object, read: Callable[[str], Any], *, required: bool = False
) -> Field:
    return Field(Column(key, heading, help_text), read, required)


_ISO = gettext_lazy("ÅÅÅÅ-MM-DD")
_YES_OR_NO = gettext_lazy("ja eller nej; tomt är nej")
_LIST = gettext_lazy("namnen eller koderna med kommatecken emellan")

FIELDS = (
    _field(
        *("identity_number", "personnummer"),
        gettext_lazy("som text, tio eller tolv siffror; även samordnings- och reservnummer"),
        *(_identity,),
        required=True,
    ),
    _field("given_name", "förnamn", "", _text, required=True),
    _field("family_name", "efternamn", "", _text, required=True),
    _field(
        *("protection", "skyddade personuppgifter"),
        gettext_lazy("sekretessmarkering eller skyddad folkbokföring; tomt är ingen"),
        *(_choice(Patient.Protection),),
    ),
    _field("street", "gatuadress", gettext_lazy("sparas inte vid skyddad identitet"), _text),
    _field("postal_code", "postnummer", gettext_lazy("fem siffror"), _without_spaces),
    _field("town", "postort", "", _text),
    _field("municipality", "hemkommun", gettext_lazy("kommunkod, fyra siffror"), _municipality),
    _field("phone", "telefon", gettext_lazy("som text"), _text),
    _field("language", "språk", "", _text),
    _field(
        "kva",
        "kvå",
        gettext_lazy("begärd åtgärd, tre tecken eller hela koden"),
        _kva,
        required=True,
    ),
    _field("icd10", "icd-10", gettext_lazy("diagnoskod"), _icd10, required=True),
    _field(
        *("phase", "vårdgarantin gäller"),
        gettext_lazy("första besök eller behandling"),
        *(_choice(Phase),),
        required=True,
    ),
    _field("svf", "svf", _YES_OR_NO, _yes_no),
    _field("svf_pathway", "vårdförlopp", gettext_lazy("namnet eller koden"), pathway_code),
    _field("suspicion_date", "välgrundad misstanke", _ISO, _day),
    _field(
        *("svf_treatment", "första behandling"),
        gettext_lazy("kirurgi, läkemedel, strålbehandling eller annan behandling"),
        *(_choice(FirstTreatment),),
    ),
    _field(
        *("referral_cause", "skäl"),
        gettext_lazy(
            "väntetiden, fritt vårdval, högspecialiserad vård eller annat skäl; tomt är väntetiden"
        ),
        *(_choice(ReferralCause),),
    ),
    _field("referral_date", "remissdatum", _ISO, _day, required=True),
    _field("decision_date", "beslutsdatum", _ISO, _day, required=True),
    _field("medical_target_date", "måldatum", gettext_lazy("medicinskt, ÅÅÅÅ-MM-DD"), _day),
    _field(
        *("home_wait_days", "väntan hos er"),
        gettext_lazy("dagar från beslutet; tomt: er senaste väntetid"),
        *(_small,),
    ),
    _field(
        "asa", "asa", gettext_lazy("1–4; ASA 5 och 6 kan inte förmedlas"), _small, required=True
    ),
    _field("bmi", "bmi", gettext_lazy("med högst en decimal"), _bmi),
    _field(
        *("mobility", "rörlighet"),
        gettext_lazy("går själv, går med hjälpmedel, rullstol eller behöver ligga under transport"),
        *(_choice(IntakeForm.Mobility),),
    ),
    _field("medications", "läkemedel", "", _text),
    _field("anticoagulants", "blodförtunnande", _YES_OR_NO, _yes_no),
    _field("escort", "ledsagare", _YES_OR_NO, _yes_no),
    _field("interpreter", "tolk", gettext_lazy("språket, om tolk behövs"), _text),
    _field("max_distance_km", "längsta avstånd", gettext_lazy("km; tomt: ingen gräns"), _small),
    _field("equipment", "utrustning", _LIST, _equipment),
    _field("clinician", "bedömande läkare", "", _text),
    _field("transferable", "kan förmedlas", gettext_lazy("ja eller nej"), _yes_no, required=True),
    _field("not_transferable_reason", "varför inte", gettext_lazy("när svaret är nej"), _text),
    _field("free_text", "övrigt", "", _text),
    _field(
        *("share_consent", "samtycke"),
        gettext_lazy("ja eller nej; tomt: inte tillfrågad"),
        *(_yes_no_code,),
    ),
    _field(
        *("share_consent_how", "samtycke hur"),
        gettext_lazy("muntligt på plats, telefon, skriftligt eller 1177"),
        *(_choice(Consent.How),),
    ),
    _field("share_consent_on", "samtycke när", _ISO, _day),
)
UNIT = Column("care_unit", "hsa-id", gettext_lazy("er enhet; tomt går bra"))
COLUMNS = (UNIT, *(field.column for field in FIELDS))
REQUIRED = frozenset(field.column.key for field in FIELDS if field.required)
HEADINGS = {column.key: column.heading for column in COLUMNS}
