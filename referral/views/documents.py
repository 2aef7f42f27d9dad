"""Files that a person saves: always a download, named by the case number alone."""

import json

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse

from referral.patient_extract import PatientExtract
from referral.pdf import extract_pdf


def extract_file(extract: PatientExtract, file_format: str) -> HttpResponse:
    """The patient's extract as PDF or JSON; kept by no cache on the way."""
    if file_format == "json":
        text = json.dumps(extract.as_data(), cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        response = HttpResponse(text, content_type="application/json; charset=utf-8")
    else:
        response = HttpResponse(extract_pdf(extract), content_type="application/pdf")
    suffix = "json" if file_format == "json" else "pdf"
    response["Content-Disposition"] = (
        f'attachment; filename="registerutdrag-{extract.number}.{suffix}"'
    )
    response["Cache-Control"] = "no-store"
    return response
