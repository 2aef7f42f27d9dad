"""SMTP server that keeps what it is given."""

import logging
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from notices.simulator.book import Book

logger = logging.getLogger("simulator")


class Keeper:
    """aiosmtpd handler."""

    def __init__(self, book: Book) -> None:
        self.book = book

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, EmailMessage, policy=policy.default)
        self.book.keep_email(
            message_id=_header(message, "Message-ID"),
            sender=str(envelope.mail_from),
            recipients=[str(address) for address in envelope.rcpt_tos],
            subject=_header(message, "Subject"),
            body=_text(message),
        )
        logger.info("e-mail received")
        return "250 OK"


def _header(message: EmailMessage, name: str) -> str:
    try:
        return _storable(str(message[name] or ""))
    except (ValueError, LookupError, IndexError):  # a header the parser of the library gives up on
        return ""


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        return _storable(str(part.get_content()))
    except (ValueError, LookupError):  # a character set that does not exist
        return _storable(str(part.get_payload()))


def _storable(text: str) -> str:
    """Bytes that were no text stand as question marks."""
    return text.encode(errors="replace").decode()


def smtp_server(book: Book, port: int) -> Controller:
    return Controller(Keeper(book), hostname="127.0.0.1", port=port)
