"""The second net under "no identity numbers in logs and error pages".

The first is that nobody writes them there. What still has the shape of a personnummer,
samordningsnummer or reservnummer is masked in every log line and traceback, and error reports show
no values at all. Nor can what a person typed look like a line of its own: a line break is written
out.
"""

import logging
import re
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter
from pythonjsonlogger.json import JsonFormatter

MASK = "[dolt nummer]"
# Ten or twelve characters that begin as a date, a coordination number's day being 61–91. Case
# numbers (13-26-000001-7) and times have other shapes.
_IDENTITY = re.compile(
    r"(?<![\w.-])(?:(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+ ]?[0-9A-Z]{2}[0-9]{2}"
    r"|[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{2}[-+ ]?[0-9]{4})(?![\w-])"
)

# All that ends a line somewhere, moves the cursor or colours a terminal; not the tab.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def masked(text: str) -> str:
    """The text without anything that could be an identity number."""
    return _IDENTITY.sub(MASK, text)


def holds_identity_number(text: str) -> bool:
    return _IDENTITY.search(text) is not None


def on_one_line(text: str) -> str:
    """The text with line breaks and other control characters written out."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


class MaskingFormatter(logging.Formatter):
    """Lines for people: masked, one line for each record, a traceback's lines indented below."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return on_one_line(masked(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


class MaskingJsonFormatter(JsonFormatter):
    """Lines for machines: one JSON object for each record, every value in it masked.

    Values are masked before they are written as JSON, where ``\\n`` before a number would hide it.
    """

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {masked(str(name)): _masked_value(value) for name, value in log_data.items()}


def _masked_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, int):
        return MASK if holds_identity_number(str(value)) else value
    if isinstance(value, dict):
        return {masked(str(name)): _masked_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_value(one) for one in value]
    return masked(str(value))


def _indented(text: str) -> str:
    return "\n".join(f"    {on_one_line(line)}" for line in masked(text).split("\n"))


class NothingPersonal(SafeExceptionReporterFilter):
    """Error reports and debug pages name the code, never what a person typed or the row held."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        if request is None:
            return {}
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> Any:
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
