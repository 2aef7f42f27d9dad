"""Forms of administration. They parse and offer choices; the rules stand in the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from organisations.access import Actor
from organisations.administration.authority import MAY_GIVE, Place, units_ruled
from organisations.administration.checks import HSA_ID_HELP, clean_hsa_id
from organisations.administration.selectors import LEFT, SHUT_OFF, WORKING
from organisations.administration.services import UnitDetails
from organisations.languages import in_words, said_languages
from organisations.models import (
    MOST_UNREAD_DAYS,
    CareUnit,
    Equipment,
    Funding,
    MedicalArea,
    Municipality,
    Provider,
    Region,
    Role,
    TravelPaid,
    User,
)
from organisations.plain_forms import PlainForm, date_field

ANY = ("", _("Alla"))


class RowField(forms.ModelChoiceField):
    """A choice of a row whose key is text; PostgreSQL cannot hold NUL, so no row has such a key."""

    def to_python(self, value: Any) -> Any:
        return super().to_python("-" if "\x00" in str(value) else value)


class HsaIdField(forms.CharField):
    """Written with or without spaces, in capitals or not."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("Till exempel %(id)s.") % {"id": HSA_ID_HELP})
        super().__init__(label=_("HSA-id"), max_length=60, **options)

    def clean(self, value: Any) -> str:
        return clean_hsa_id(super().clean(value))


class LanguagesField(forms.CharField):
    """Names of languages with commas between, as their codes."""

    def prepare_value(self, value: Any) -> Any:
        return in_words(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        codes: set[str] = set()
        for name in str(super().clean(value)).split(","):
            found = said_languages(name)
            if name.strip() and not found:
                text = _("Språket %(name)s finns inte i listan.") % {"name": name.strip()[:40]}
                raise forms.ValidationError(text)
            codes |= found
        return sorted(codes)


class PeopleFilter(PlainForm):
    q = forms.CharField(label=_("Sök person"), required=False, max_length=100)
    role = forms.ChoiceField(label=_("Roll"), required=False, choices=[ANY, *Role.choices])
    state = forms.ChoiceField(
        label=_("Visa"),
        required=False,
        choices=[
            ANY,
            (WORKING, _("Med uppdrag")),
            (LEFT, _("Utan uppdrag")),
            (SHUT_OFF, _("Avstängda")),
        ],
    )


class UnitFilter(PlainForm):
    q = forms.CharField(label=_("Sök enhet"), required=False, max_length=100)
    state = forms.ChoiceField(
        label=_("Visa"),
        required=False,
        choices=[ANY, ("open", _("Öppna")), ("closed", _("Stängda"))],
    )


class SearchForm(PlainForm):
    q = forms.CharField(label=_("Sök vårdgivare"), required=False, max_length=100)


class PlaceForm(PlainForm):
    """Role and place, as far as the actor may give them.

    A region's administrator chooses among the region's units; the operator names a region or a
    whole provider.
    """

    role = forms.ChoiceField(label=_("Roll"), widget=forms.RadioSelect)
    region = RowField(
        Region.objects.all(),
        label=_("Region"),
        required=False,
        help_text=_("Behövs för regionadministratör."),
    )
    care_unit = RowField(
        CareUnit.objects.none(),
        label=_("Enhet"),
        required=False,
        help_text=_("Behövs för klinik och mottagande vårdgivare."),
    )
    provider = RowField(
        Provider.objects.all(),
        label=_("Vårdgivare"),
        required=False,
        help_text=_("Behövs för mottagande vårdgivare; gäller alla dess enheter."),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        given = MAY_GIVE.get(actor.role, ())
        self.fields["role"].choices = [(role.value, role.label) for role in given]  # type: ignore[attr-defined]
        if actor.role == Role.REGION_ADMIN:
            del self.fields["region"], self.fields["provider"]
            self.fields["care_unit"].queryset = units_ruled(actor).filter(is_active=True)  # type: ignore[attr-defined]
        else:
            del self.fields["care_unit"]

    def place(self) -> Place:
        """What the role needs of what was chosen; the services say what is missing."""
        data = self.cleaned_data
        role, unit, provider = data["role"], data.get("care_unit"), data.get("provider")
        if role == Role.PROVIDER:
            return Place(care_unit=unit, provider=unit.provider if unit else provider)
        if role == Role.OPERATOR:
            return Place()
        if role == Role.CLINIC:
            return Place(care_unit=unit, region=unit.region if unit else self._own_region())
        return Place(region=data.get("region") or self._own_region())

    def _own_region(self) -> Region | None:
        return Region.objects.filter(code=self.actor.region or "").first()


class InviteForm(PlaceForm):
    name = forms.CharField(label=_("Namn"), max_length=120)
    email = forms.EmailField(label=_("E-post"))
    hsa_id = HsaIdField(required=False)
    field_order = ("name", "email", "hsa_id", "role", "region", "care_unit", "provider")

    def __init__(self, *args: Any, hsa_id_required: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hsa_id"].required = hsa_id_required


class GiveForm(PlaceForm):
    last_day = date_field(
        _("Till och med"),
        required=False,
        help_text=_("Tomt betyder tills vidare."),
    )


class EndForm(PlainForm):
    last_day = date_field(
        _("Sista dag"), required=False, help_text=_("Lämna tomt för att avsluta nu.")
    )


class PersonForm(PlainForm):
    name = forms.CharField(label=_("Namn"), max_length=120)
    email = forms.EmailField(label=_("E-post"))
    hsa_id = HsaIdField(required=False)
    home_street = forms.CharField(
        label=_("Gatuadress hem"),
        max_length=120,
        required=False,
        help_text=_(
            "Används bara vid granskning av åtkomstloggen, för att märka ut läsning om grannar. "
            "Lämna tomt för den som har skyddade personuppgifter."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    home_postal_code = forms.CharField(
        label=_("Postnummer hem"),
        max_length=6,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @classmethod
    def of(cls, person: User) -> "PersonForm":
        names = ("name", "email", "hsa_id", "home_street", "home_postal_code")
        return cls(initial={name: getattr(person, name) or "" for name in names})


class ShutOffForm(PlainForm):
    why = forms.CharField(
        label=_("Skäl"), max_length=300, help_text=_("Sparas i historiken. Inga patientuppgifter.")
    )


class AcceptForm(PlainForm):
    """How a person new to the demonstration chooses name and password."""

    login = forms.CharField(
        label=_("Användarnamn"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Lösenord"),
        max_length=200,
        strip=False,
        help_text=_("Minst 12 tecken."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Lösenordet en gång till"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("password") and data.get("again") and data["password"] != data["again"]:
            self.add_error("again", _("Lösenorden är inte lika."))
        return data


class UnitForm(PlainForm):
    hsa_id = HsaIdField()
    name = forms.CharField(label=_("Namn"), max_length=120)
    provider = RowField(Provider.objects.all(), label=_("Vårdgivare"))
    municipality = RowField(Municipality.objects.select_related("region"), label=_("Kommun"))
    medical_area = RowField(
        MedicalArea.objects.all(), label=_("Medicinskt verksamhetsområde"), required=False
    )
    languages = LanguagesField(
        label=_("Språk"),
        max_length=600,
        required=False,
        help_text=_(
            "Utöver svenska, med egen personal eller tolk: arabiska, somaliska. Tomt betyder att "
            "enheten inte har sagt något; annars föreslås den bara för de språken."
        ),
    )
    equipment = forms.MultipleChoiceField(
        label=_("Särskild utrustning som enheten har"),
        choices=Equipment.choices,
        required=False,
        help_text=_("Enheten föreslås inte för patienter som behöver något annat av detta."),
        widget=forms.CheckboxSelectMultiple,
    )
    sends = forms.BooleanField(label=_("Avsänder patienter (klinik)"), required=False)
    receives = forms.BooleanField(label=_("Tar emot patienter"), required=False)
    email = forms.EmailField(
        label=_("E-post"),
        required=False,
        help_text=_("Dit går aviseringar, aldrig patientuppgifter."),
    )
    phone = forms.CharField(label=_("Telefon"), max_length=30, required=False)
    latitude = forms.DecimalField(
        label=_("Latitud"),
        max_digits=7,
        decimal_places=4,
        required=False,
        localize=True,
        help_text=_("Tomt ger kommunens läge."),
    )
    longitude = forms.DecimalField(
        label=_("Longitud"), max_digits=7, decimal_places=4, required=False, localize=True
    )

    field_order = (
        *("hsa_id", "name", "provider", "municipality", "email", "phone"),
        *("sends", "receives", "latitude", "longitude", "medical_area", "languages", "equipment"),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if actor.role == Role.REGION_ADMIN:
            towns = Municipality.objects.filter(region_id=actor.region)
            self.fields["municipality"].queryset = towns  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(unit: CareUnit) -> dict[str, Any]:
        names = [field.name for field in unit._meta.fields if field.name in UnitForm.base_fields]
        return {name: getattr(unit, name) for name in names}

    def details(self) -> UnitDetails:
        return UnitDetails(**self.cleaned_data)


def _reminder_days() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Dagar utan svar innan påminnelse skickas"),
        min_value=1,
        max_value=363,
        required=False,
        help_text=_("Tomt ger ingen påminnelse."),
    )


def _letter_days() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Dagar utan svar innan brev skickas"), min_value=1, max_value=364
    )


def _unread_days(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=MOST_UNREAD_DAYS,
        required=False,
        help_text=_("Tomt ger inget brev."),
    )


class NoticeDaysForm(PlainForm):
    reminder_after_days = _reminder_days()
    letter_after_days = _letter_days()
    unread_booked_time_days = _unread_days(_("Dagar innan en oläst bokad tid går som brev"))
    unread_confirmation_days = _unread_days(
        _("Dagar innan en oläst remissbekräftelse går som brev")
    )
    unread_guarantee_days = _unread_days(
        _("Dagar innan oläst information om vårdgarantin går som brev")
    )


def _price(label: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=0, max_value=1_000, decimal_places=2)


class NoticePricesForm(PlainForm):
    letter_sek = _price(_("Ett brev med porto och tryck, kronor"))
    digital_sek = _price(_("Ett meddelande i 1177 eller digital post, kronor"))


class PatientFactsForm(PlainForm):
    """What every text to a patient tells of the region."""

    navigator_phone = forms.CharField(
        label=_("Telefon till vårdlots"),
        max_length=30,
        help_text=_("Dit patienten ringer med frågor."),
    )
    travel_phone = forms.CharField(
        label=_("Telefon för sjukresor"),
        max_length=30,
        help_text=_("Dit patienten ringer före resan."),
    )
    travel_paid = forms.ChoiceField(
        label=_("Så betalas resan"), choices=TravelPaid.choices, widget=forms.RadioSelect
    )
    confirms_referrals = forms.BooleanField(
        label=_("Skicka remissbekräftelse när en blankett kommit in"),
        required=False,
        help_text=_("Låt bli om klinikerna skickar egna."),
    )
    informs_of_guarantee = forms.BooleanField(
        label=_("Skicka information om vårdgarantin när en blankett kommit in"), required=False
    )


class RegionForm(PlainForm):
    guarantee_days = forms.IntegerField(label=_("Vårdgaranti, dagar"), min_value=1, max_value=90)
    child_psychiatry_days = forms.IntegerField(
        label=_("Vårdgaranti i barn- och ungdomspsykiatri, dagar"), min_value=1, max_value=90
    )
    offer_stands_days = forms.IntegerField(
        label=_("Dagar ett erbjudande står kvar"), min_value=2, max_value=365
    )
    reminder_after_days = _reminder_days()
    letter_after_days = _letter_days()
    funding = forms.ChoiceField(
        label=_("Vård hos annan vårdgivare betalas av"),
        choices=[("", _("Inte angivet")), *Funding.choices],
        required=False,
        help_text=_("Syns i statistiken. Gäller erbjudanden från nu."),
    )
    navigator_unit_name = forms.CharField(label=_("Vårdlotsenhet"), max_length=80)
    navigator_phone = forms.CharField(
        label=_("Telefon till vårdlots"), max_length=30, required=False
    )

    @staticmethod
    def initial_of(region: Region) -> dict[str, Any]:
        return {name: getattr(region, name) for name in RegionForm.base_fields}


class ProviderForm(PlainForm):
    name = forms.CharField(label=_("Namn"), max_length=120)
    organisation_number = forms.CharField(
        label=_("Organisationsnummer"), max_length=12, help_text=_("Tio siffror.")
    )
    hsa_id = HsaIdField(
        required=False,
        help_text=_(
            "Vårdgivarens eget i HSA-katalogen. När det finns kommer bara den in med SITHS vars "
            "uppdrag gäller vårdgivaren."
        ),
    )
    kind = forms.ChoiceField(label=_("Driftsform"), choices=Provider.Kind.choices)
    region = RowField(
        Region.objects.all(),
        label=_("Region"),
        required=False,
        help_text=_("Regionen vars administratör råder över konton för hela vårdgivaren."),
    )

    def clean_organisation_number(self) -> str:
        return str(self.cleaned_data["organisation_number"]).replace("-", "").replace(" ", "")


class ClientForm(PlainForm):
    login = forms.CharField(label=_("Användarnamn"), min_length=3, max_length=60)
    name = forms.CharField(
        label=_("Systemets namn"), max_length=120, help_text=_("Till exempel Journalsystemet.")
    )
    region = RowField(Region.objects.all(), label=_("Region"))
    unit = HsaIdField(
        required=False, help_text=_("Tomt ger hela regionen, annars bara den enheten.")
    )

    def clean_unit(self) -> CareUnit | None:
        hsa_id = self.cleaned_data["unit"]
        found = CareUnit.objects.filter(hsa_id=hsa_id).first() if hsa_id else None
        if hsa_id and found is None:
            raise forms.ValidationError(_("Ingen enhet har det HSA-id:t."))
        return found
