"""Files that are sent to the API: as the body itself or as a form's field."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from organisations.errors import InvalidInput
from organisations.uploads import XLSX

# How a choice in the address is answered with yes.
YES = frozenset({"1", "true", "True"})


class BodyParser(BaseParser):
    """The body as it stands; one byte more than the view's ``most_bytes`` tells it is too big."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return {"content": stream.read(parser_context["view"].most_bytes + 1)}


class CsvBodyParser(BodyParser):
    media_type = "text/csv"


class XlsxBodyParser(BodyParser):
    media_type = XLSX


class UploadSerializer(serializers.Serializer[Any]):
    """Filen och, om de inte står i adressen, samma val som där."""

    file = serializers.FileField()


def sent_file(request: Request, *, most_bytes: int) -> tuple[bytes, str]:
    """The file that was sent, at most so many bytes of it and one more, and its name.

    As the field ``file`` of a form, or as the body with ``?name=``. Raises :class:`InvalidInput`.
    """
    sent: Any = request.data
    named = request.query_params.get("name", "")
    if "content" in sent and isinstance(sent["content"], bytes):
        return sent["content"], named or "api"
    file = request.FILES.get("file")
    if file is None:
        text = _("Skicka filen i fältet file eller som kropp.")
        raise InvalidInput(text, fields={"file": text})
    return file.read(most_bytes + 1), named or file.name or "api"
