"""What Inera's identity provider says of a person, read or refused.

Claims have short names or the long ones of Sambi (``http://sambi.se/attributes/1/…``); both come
in. A commission (medarbetaruppdrag, from HSA) says at which care unit, for which purpose and for
which care provider the person works now.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from organisations.login.openid import LoginRefused
from organisations.models import HSA_ID_PATTERN

SAMBI = "http://sambi.se/attributes/1/"
REQUIRED_ASSURANCE = "http://id.sambi.se/loa/loa3"
# The purpose under which a clinic or a receiving provider handles patients (patientdatalagen
# 2 kap. 4 § first paragraph 1 and 2; the purposes of HSA's commissions).
CARE = "vård och behandling"


@dataclass(frozen=True, kw_only=True)
class SithsIdentity:
    """A person and the commission chosen at login."""

    hsa_id: str
    name: str
    commission_hsa_id: str
    commission_purpose: str
    care_provider_hsa_id: str

    @property
    def gives_care(self) -> bool:
        return self.commission_purpose.casefold() == CARE


def read_claims(claims: Mapping[str, Any]) -> SithsIdentity:
    """The identity that verified claims tell of.

    Raises :class:`LoginRefused` when the assurance level is another than 3 or a claim is missing.
    """
    if claims.get("acr") != REQUIRED_ASSURANCE:
        raise LoginRefused(
            _(
                "Inloggningen har inte tillitsnivå 3, som Vårdlots kräver. Logga in med ditt "
                "SITHS-kort eller med SITHS eID i mobilen."
            ),
            code="assurance_too_low",
        )
    person = _hsa_id(claims, "employeeHsaId", _("ditt HSA-id"))
    return SithsIdentity(
        hsa_id=person,
        name=_name(claims) or person,
        commission_hsa_id=_hsa_id(claims, "commissionHsaId", _("vårdenheten i ditt uppdrag")),
        commission_purpose=_required(claims, "commissionPurpose", _("ändamålet med ditt uppdrag")),
        care_provider_hsa_id=_hsa_id(
            claims, "healthCareProviderHsaId", _("vårdgivaren i ditt uppdrag")
        ),
    )


def lacks_any(claims: Mapping[str, Any]) -> bool:
    """Whether a claim that must be there is missing, so that it is worth asking for more."""
    names = ("employeeHsaId", "commissionHsaId", "commissionPurpose", "healthCareProviderHsaId")
    return any(not _texts(claims, name) for name in names)


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    """The claim's values by its short or its long name; one value or a list of them."""
    found = claims.get(name) or claims.get(SAMBI + name) or []
    values = found if isinstance(found, list) else [found]
    return [value.strip() for value in values if isinstance(value, str) and value.strip()]


def _required(claims: Mapping[str, Any], name: str, called: str) -> str:
    values = _texts(claims, name)
    if len(values) != 1 or "\x00" in values[0]:
        raise LoginRefused(
            _(
                "Identitetstjänsten lämnade inte %(what)s (%(claim)s). Välj ett uppdrag när du "
                "loggar in, och be annars din HSA-ansvariga se över dina uppgifter i HSA."
            )
            % {"what": called, "claim": name},
            code="claim_missing",
        )
    return values[0]


def _hsa_id(claims: Mapping[str, Any], name: str, called: str) -> str:
    value = _required(claims, name, called).upper()
    if not re.fullmatch(HSA_ID_PATTERN.strip("^$"), value):
        raise LoginRefused(
            _("Identitetstjänsten lämnade %(what)s i en form som inte är ett HSA-id (%(claim)s).")
            % {"what": called, "claim": name},
            code="claim_malformed",
        )
    return value


def _name(claims: Mapping[str, Any]) -> str:
    whole = _texts(claims, "name")
    if not whole:
        given = _texts(claims, "given_name") or _texts(claims, "givenName")
        family = _texts(claims, "family_name") or _texts(claims, "surname") or _texts(claims, "sn")
        whole = [" ".join([*given[:1], *family[:1]])]
    return whole[0].replace("\x00", "")[:120].strip()
