"""What may be wrong with a file: stable codes, how grave each is, and the reason in Swedish.

A code is never used again for something else. Codes by their first figure: 1 the file, 2 what is
asked for, 3 the value, 4 how values agree, 5 the delivery.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Severity(StrEnum):
    """What a fault does to the file."""

    ERROR = "error"  # wrong: the file is refused
    LACK = "lack"  # a mandatory value is missing: the file holds, but is incomplete
    REMARK = "remark"  # to be looked at


SEVERITY_LABELS = {
    Severity.ERROR: _("fel"),
    Severity.LACK: _("brist"),
    Severity.REMARK: _("anmärkning"),
}


@dataclass(frozen=True)
class Code:
    severity: Severity
    reason: str | Promise


_E, _L, _R = Severity.ERROR, Severity.LACK, Severity.REMARK

CODES: dict[str, Code] = {
    "VT101": Code(_E, _("Filen är tom.")),
    "VT102": Code(_E, _("Filen är ingen textfil. Spara den som CSV i UTF-8.")),
    "VT103": Code(_E, _("Filen går inte att läsa som CSV från denna rad.")),
    "VT104": Code(_E, _("Rubrikerna hör inte till någon av de två modellerna.")),
    "VT105": Code(_E, _("Kolumnen saknas, och utan den går filen inte att läsa.")),
    "VT106": Code(_L, _("Kolumnen saknas, fast variabeln är obligatorisk.")),
    "VT107": Code(_E, _("Kolumnen står två gånger.")),
    "VT108": Code(_R, _("Kolumnen hör inte till filen och läses inte.")),
    "VT109": Code(_E, _("Raden har inte lika många fält som rubrikraden.")),
    "VT110": Code(_R, _("Filen är inte i UTF-8. Den är läst som Windows-1252.")),
    "VT111": Code(_E, _("Filen har inga rader under rubrikerna.")),
    "VT112": Code(_E, _("Filen har så många fel att kontrollen slutade före denna rad.")),
    "VT113": Code(_E, _("Filen har fler rader än vad sidan tar. Kontrollen slutade före denna.")),
    "VT201": Code(_L, _("Obligatorisk uppgift saknas.")),
    "VT202": Code(_E, _("Uppgiften gäller alltid och kan inte anges som ej aktuell (EA).")),
    "VT203": Code(_E, _("Uppgiften ingår inte för denna fas eller för väntande. Skriv EA.")),
    "VT204": Code(
        _R, _("Uppgiften kan inte finnas för denna kontakt. Skriv EA i stället för tomt.")
    ),
    "VT205": Code(_L, _("Uppgift saknas, fast villkoret gör den obligatorisk.")),
    "VT301": Code(_E, _("Värdet är ingen av variabelns koder.")),
    "VT302": Code(_E, _("Värdet är ingen giltig tidpunkt (ÅÅÅÅ-MM-DDTtt:mm).")),
    "VT303": Code(_R, _("Klockslag saknas.")),
    "VT304": Code(_E, _("Värdet är inget giltigt datum (ÅÅÅÅ-MM-DD).")),
    "VT305": Code(_E, _("Värdet är inget rimligt årtal.")),
    "VT306": Code(_E, _("Kommunkoden finns inte hos SCB.")),
    "VT307": Code(_E, _("Länskoden är ingen regions.")),
    "VT308": Code(_E, _("Värdet har inte formen av ett HSA-id.")),
    "VT309": Code(_E, _("Medicinskt verksamhetsområde finns inte i förteckningen.")),
    "VT310": Code(_E, _("Värdet har inte formen av en KVÅ-kod.")),
    "VT311": Code(_R, _("KVÅ-koden finns inte i produktens förteckning. Kontrollera den.")),
    "VT312": Code(_E, _("Värdet har inte formen av en diagnoskod.")),
    "VT313": Code(_E, _("En yttre orsak är en kod som börjar med V, W, X eller Y.")),
    "VT314": Code(_E, _("Värdet är varken organisationsnummer eller HSA-id.")),
    "VT315": Code(_E, _("Värdet är för långt eller har tecken som inte får stå där.")),
    "VT316": Code(_E, _("Id:t har formen av ett personnummer och får inte lämnas.")),
    "VT317": Code(_E, _("Rapportmånaden skrivs ÅÅÅÅ-MM.")),
    "VT318": Code(_E, _("Värdet har inte formen av en kod för yrkesgrupp.")),
    "VT401": Code(_E, _("Kontakten är genomförd före beslutet.")),
    "VT402": Code(_E, _("Kontakten är inte genomförd i rapportmånaden.")),
    "VT403": Code(_E, _("Beslutet är fattat efter rapportmånadens slut.")),
    "VT404": Code(_R, _("Medicinskt måldatum ligger före beslutet.")),
    "VT405": Code(_E, _("Tiderna på akutmottagningen står inte i ordning.")),
    "VT406": Code(_E, _("Start av aktivitet är inte samma tid som kontakten på akutmottagningen.")),
    "VT407": Code(_E, _("Patienten är född efter beslutet.")),
    "VT408": Code(_E, _("Undersökning, återbesök och akut kontakt omfattas inte av vårdgarantin.")),
    "VT409": Code(_R, _("Första kontakt och operation/åtgärd omfattas i regel av vårdgarantin.")),
    "VT410": Code(_E, _("En akut kontakt som inte är planerad ingår inte i väntande.")),
    "VT411": Code(_E, _("Diagnoserna och deras typer är inte lika många.")),
    "VT412": Code(_E, _("Fler än en diagnos är huvuddiagnos.")),
    "VT413": Code(_E, _("Aktiviteten är ingen kod i KKÅ97 (tre bokstäver och två siffror).")),
    "VT414": Code(_R, _("Remittent är angiven fast patienten själv sökte vård.")),
    "VT415": Code(_E, _("Första linje-patient är högst 17 år.")),
    "VT421": Code(_E, _("Vårdkontakts-id står redan i filen.")),
    "VT422": Code(_E, _("Raden har en annan huvudman än den som lämnar filen.")),
    "VT423": Code(_E, _("Raden har en annan rapportmånad än filen.")),
    "VT501": Code(_E, _("Månaden är äldre än tre månader och kan inte längre rättas.")),
    "VT502": Code(_E, _("Månaden är inte slut.")),
}


def reason_of(code: str) -> str:
    return str(CODES[code].reason)


def severity_of(code: str) -> Severity:
    return CODES[code].severity
