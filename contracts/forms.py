"""Forms of the registry. They parse; the rules stand in the services and the database."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.models import (
    ChecklistItem,
    Contract,
    ContractContact,
    ContractLine,
    Deviation,
    InvoiceLine,
    Period,
    PeriodCap,
)
from contracts.services import PeriodFigures
from contracts.services.registry import PeriodCaps
from organisations.models import CareUnit, MedicalArea, Provider, Region
from organisations.plain_forms import PlainForm, date_field


class RegistryForm(PlainForm):
    """A form that may be laid out in groups."""

    # Name and width (of twelve columns) of each field, in groups with a heading.
    layout: tuple[tuple[Any, tuple[tuple[str, int], ...]], ...] = ()

    def groups(self) -> Iterable[tuple[Any, list[tuple[Any, int]]]]:
        """What the page shows: heading, then fields with their widths."""
        for heading, names in self.layout:
            shown = [(self[name], width) for name, width in names if name in self.fields]
            if shown:
                yield heading, shown


def _text(label: Any, length: int, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, **kwargs)


def _area(label: Any, length: int, *, rows: int = 3, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, widget=forms.Textarea(attrs={"rows": rows}), **kwargs
    )


def _whole(label: Any, top: int, *, low: int = 0, **kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=low, max_value=top, **kwargs)


class AmountField(forms.DecimalField):
    """SEK as people write them: spaces between thousands and a decimal comma are fine."""

    def __init__(self, label: Any, *, digits: int = 14, **kwargs: Any) -> None:
        super().__init__(
            label=label, min_value=Decimal(0), max_digits=digits, decimal_places=2, **kwargs
        )
        self.widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace("\xa0", "").replace(" ", "").replace(",", ".")
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value:.2f}".replace(".", ",")
        return value


class CapsForm(RegistryForm):
    """A cap in volume and SEK, and the same per week, month and year."""

    cap_volume = _whole(_("Takvolym, antal"), 2_000_000_000, required=False)
    cap_sek = AmountField(_("Takvolym, kronor"), required=False)
    week_volume = _whole(_("Per vecka, antal"), 2_000_000_000, required=False)
    week_sek = AmountField(_("Per vecka, kronor"), required=False)
    month_volume = _whole(_("Per månad, antal"), 2_000_000_000, required=False)
    month_sek = AmountField(_("Per månad, kronor"), required=False)
    year_volume = _whole(_("Per kalenderår, antal"), 2_000_000_000, required=False)
    year_sek = AmountField(_("Per kalenderår, kronor"), required=False)

    def period_caps(self) -> PeriodCaps:
        values = self.cleaned_data
        return {
            period: PeriodFigures(values.get(f"{period}_volume"), values.get(f"{period}_sek"))
            for period in Period
        }


CAPS_LAYOUT = (
    _("Takvolym"),
    (
        *(("cap_volume", 3), ("cap_sek", 3), ("week_volume", 3), ("week_sek", 3)),
        *(("month_volume", 3), ("month_sek", 3), ("year_volume", 3), ("year_sek", 3)),
    ),
)


class ContractForm(CapsForm):
    """All of a contract but its lines. ``seen`` is the version the person read."""

    number = _text(_("Avtalsnummer"), 40)
    title = _text(_("Benämning"), 160)
    provider = forms.ModelChoiceField(Provider.objects.all(), label=_("Vårdgivare"))
    contract_type = forms.ChoiceField(label=_("Avtalstyp"), choices=Contract.Type)
    reimbursement_principle = forms.ChoiceField(
        label=_("Ersättningsprincip"), choices=Contract.Reimbursement
    )
    reimbursement = _text(_("Ersättning, med ord"), 120, required=False)
    valid_from = date_field(_("Gäller från"))
    valid_to = date_field(_("Gäller till och med"))
    option_years = _whole(_("Optionsår"), 20, initial=0)
    notice_months = _whole(_("Uppsägningstid, månader"), 60, initial=0)
    medical_areas = forms.ModelMultipleChoiceField(
        MedicalArea.objects.all(),
        label=_("Medicinska verksamhetsområden (MVO)"),
        required=False,
        help_text=_("Välj flera med Ctrl eller Cmd."),
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    regions_allowed = forms.ModelMultipleChoiceField(
        Region.objects.all(),
        label=_("Regioner som får avropa"),
        help_text=_("Välj flera med Ctrl eller Cmd."),
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )
    included = _area(_("Vad som ingår"), 4000, required=False)
    alert_percents = _text(
        _("Varna vid, % av taket"), 40, initial="80 90 100", help_text=_("Till exempel: 80 90 100")
    )
    is_stopped = forms.BooleanField(
        label=_("Stoppat: inga nya erbjudanden på avtalet"), required=False
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    why = _text(_("Varför ändras avtalet?"), 300, help_text=_("Står i avtalets historik."))

    layout = (
        (
            _("Avtalet"),
            (
                *(("number", 3), ("title", 6), ("contract_type", 3), ("provider", 6)),
                *(("reimbursement_principle", 3), ("reimbursement", 3)),
            ),
        ),
        (
            _("Tid"),
            (("valid_from", 3), ("valid_to", 3), ("option_years", 3), ("notice_months", 3)),
        ),
        (_("Innehåll"), (("medical_areas", 6), ("regions_allowed", 6), ("included", 12))),
        CAPS_LAYOUT,
        (_("Varning och stopp"), (("alert_percents", 4), ("is_stopped", 8))),
        (_("Ändringen"), (("why", 12),)),
    )

    def clean_alert_percents(self) -> list[int]:
        parts = self.cleaned_data["alert_percents"].replace(",", " ").replace("%", " ").split()
        if not all(p.isascii() and p.isdigit() and 1 <= int(p) <= 100 for p in parts):
            raise forms.ValidationError(_("Skriv hela procent mellan 1 och 100."))
        if len(set(parts)) > 5:
            raise forms.ValidationError(_("Högst fem gränser."))
        return sorted({int(p) for p in parts})


class LineForm(CapsForm):
    """One line: a code at a unit of the contract's provider."""

    care_unit = forms.ModelChoiceField(CareUnit.objects.none(), label=_("Enhet"))
    kva = _text(_("KVÅ-kod"), 5, help_text=_("Tre tecken för en grupp, eller hela koden."))
    price_sek = AmountField(_("Pris, kronor"), digits=12)
    included = _area(_("Vad priset omfattar"), 4000, required=False)
    asa_ceiling = _whole(_("Högsta ASA-klass"), 4, low=1, initial=2)
    age_min = _whole(_("Lägsta ålder"), 130, required=False)
    age_max = _whole(_("Högsta ålder"), 130, required=False)
    is_active = forms.BooleanField(label=_("Raden används"), required=False, initial=True)

    layout = (
        (
            _("Raden"),
            (
                *(("care_unit", 6), ("kva", 3), ("price_sek", 3), ("asa_ceiling", 3)),
                *(("age_min", 3), ("age_max", 3), ("is_active", 3), ("included", 12)),
            ),
        ),
        CAPS_LAYOUT,
    )

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = CareUnit.objects.filter(provider=contract.provider, receives=True)
        self.fields["care_unit"].queryset = units  # type: ignore[attr-defined]

    def clean_kva(self) -> str:
        return str(self.cleaned_data["kva"]).strip().upper()


class ContactForm(RegistryForm):
    name = _text(_("Namn"), 120)
    side = forms.ChoiceField(label=_("Hos"), choices=ContractContact.Side)
    about = forms.ChoiceField(label=_("Svarar för"), choices=ContractContact.About)
    email = forms.EmailField(label=_("E-post"), required=False)
    phone = _text(_("Telefon"), 30, required=False)


class ChecklistForm(RegistryForm):
    status = forms.ChoiceField(label=_("Status"), choices=ChecklistItem.Status)
    answer = _area(_("Vad har ni kommit överens om?"), 2000, required=False)


class DocumentForm(RegistryForm):
    file = forms.FileField(
        label=_("Dokument"), help_text=_("PDF, JPEG, PNG, DOCX eller XLSX, högst 20 MB.")
    )


class ImportForm(RegistryForm):
    file = forms.FileField(label=_("Fil"), help_text=_("CSV eller XLSX, högst 20 MB."))
    good_rows_only = forms.BooleanField(
        label=_("Läs in de rader som håller även om andra har fel"), required=False
    )


class InvoiceFileForm(RegistryForm):
    file = forms.FileField(
        label=_("Fil"),
        help_text=_("Peppol BIS Billing 3.0 (XML), CSV eller XLSX, högst 10 MB."),
    )


class DecisionForm(RegistryForm):
    """What a person decides about a line that deviates."""

    APPROVE, DISPUTE, AWAIT_CREDIT = "approve", "dispute", "await_credit"
    decision = forms.ChoiceField(
        label=_("Beslut"),
        widget=forms.RadioSelect,
        choices=(
            (APPROVE, _("Godkänn raden trots avvikelsen")),
            (DISPUTE, _("Bestrid raden")),
            (AWAIT_CREDIT, _("Vänta på kreditfaktura")),
        ),
    )
    reason = _area(
        _("Skäl"), 500, help_text=_("Syns i historiken. Skriv inget som pekar ut patienten.")
    )

    def __init__(self, *args: Any, is_credit: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_credit:
            self.fields["decision"].choices = self.fields["decision"].choices[:2]  # type: ignore[attr-defined]


class DeviationFilterForm(RegistryForm):
    q = _text(_("Ärende, faktura, vårdgivare"), 100, required=False)
    state = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("Alla öppna"))]
        + [(state.value, state.label) for state in InvoiceLine.OPEN],
    )
    deviation = forms.ChoiceField(
        label=_("Avvikelse"), required=False, choices=[("", _("Alla")), *Deviation.choices]
    )


class YearForm(RegistryForm):
    """A calendar year; the current one unless another is asked for."""

    year = forms.TypedChoiceField(label=_("År"), coerce=int, required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        years = range(today.year, today.year - 10, -1)
        self.fields["year"].choices = [(year, str(year)) for year in years]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> int:
        return (
            self.cleaned_data.get("year") or self.today.year if self.is_valid() else self.today.year
        )


def initial_of(capped: Contract | ContractLine) -> dict[str, Any]:
    """A form's first values from what is stored, period caps included."""
    names = [field.name for field in capped._meta.fields]
    values = {name: getattr(capped, name) for name in names if not name.startswith("taken_")}
    for cap in PeriodCap.objects.filter(
        **({"contract": capped} if isinstance(capped, Contract) else {"line": capped})
    ):
        values[f"{cap.period}_volume"], values[f"{cap.period}_sek"] = cap.cap_volume, cap.cap_sek
    if isinstance(capped, Contract):
        values["alert_percents"] = " ".join(map(str, capped.alert_percents))
        values["regions_allowed"] = [region.pk for region in capped.regions_allowed.all()]
        values["medical_areas"] = [area.pk for area in capped.medical_areas.all()]
        values["seen"] = capped.version
    return values
