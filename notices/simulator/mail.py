"""SMTP server that keeps what it is given."""

import logging
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller

from notices.simulator.book import Book

logger = logging.getLogger("simulator")


class Keeper:
    """aiosmtpd handler."""

    def __init__(self, book: Book) -> None:
        self.book = book

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        part = message.get_body(("plain",))
        self.book.keep_email(
            message_id=str(message["Message-ID"] or ""),
            sender=str(envelope.mail_from),
            recipients=[str(address) for address in envelope.rcpt_tos],
            subject=str(message["Subject"] or ""),
            body=part.get_content() if part else "",
        )
        logger.info("e-mail received")
        return "250 OK"


def smtp_server(book: Book, port: int) -> Controller:
    return Controller(Keeper(book), hostname="127.0.0.1", port=port)
