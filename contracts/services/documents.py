"""Documents of a contract: stored like attachments, put aside but never lost."""

import hashlib
import secrets
from datetime import datetime

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from contracts.models import Contract, ContractDocument
from contracts.services.registry import lock_to_change, record_change
from organisations.access import Actor
from organisations.uploads import DOCX, JPEG, PDF, PNG, XLSX, checked_type, refused, safe_name

ALLOWED = frozenset({PDF, JPEG, PNG, DOCX, XLSX})
MAX_DOCUMENTS = 50


@transaction.atomic
def add_document(
    contract: Contract, *, name: str, content: bytes, actor: Actor, now: datetime
) -> ContractDocument:
    """Put a document on the contract. The content decides the type, not the name.

    Raises :class:`InvalidInput` for other types, empty files, files over 20 MB and active content.
    """
    locked = lock_to_change(contract, actor=actor)
    if not content:
        raise refused(_("Filen är tom."))
    if len(content) > ContractDocument.MAX_BYTES:
        raise refused(_("Filen är större än 20 MB."))
    if locked.documents.filter(removed_at__isnull=True).count() >= MAX_DOCUMENTS:
        raise refused(_("Ett avtal kan ha högst 50 dokument."))
    document = ContractDocument(
        contract=locked,
        name=safe_name(name, otherwise=_("dokument")),
        content_type=_content_type(content),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        uploaded_at=now,
    )
    document.file.save(secrets.token_hex(16), ContentFile(content), save=False)
    document.save()
    why = _("Dokumentet %(name)s lades till.") % {"name": document.name}
    record_change(locked, why=why, actor=actor, now=now)
    return document


@transaction.atomic
def remove_document(document: ContractDocument, *, actor: Actor, now: datetime) -> None:
    """Take a document off the contract. Older versions still name it, so the file is kept."""
    locked = lock_to_change(document.contract, actor=actor)
    ContractDocument.objects.filter(pk=document.pk, removed_at__isnull=True).update(removed_at=now)
    why = _("Dokumentet %(name)s togs bort.") % {"name": document.name}
    record_change(locked, why=why, actor=actor, now=now)


def _content_type(content: bytes) -> str:
    text = _("Dokument ska vara PDF, JPEG, PNG, DOCX eller XLSX. Den här filen är något annat.")
    return checked_type(content, allowed=ALLOWED, refusal=text)
