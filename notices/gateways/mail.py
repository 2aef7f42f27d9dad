"""E-mail by SMTP (``EMAIL_URL``). A mail bears its key as Message-ID, so that a receiver that gets
it twice can tell."""

import smtplib
from dataclasses import dataclass

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from notices.gateways.breaker import guard
from notices.gateways.interface import GatewayError, MessageRefused
from notices.gateways.rates import take_turn


@dataclass(frozen=True)
class Mail:
    """A mail to staff or a unit, never to a patient and never about one by name."""

    to: str
    subject: str
    body: str


class Smtp:
    name = "email"

    def send(self, message: Mail, *, key: str) -> str:
        """Send; the receipt is the Message-ID. Raises as all gateways do."""
        message_id = f"<{key.replace('/', '.')}@vardlots>"
        take_turn(self.name)
        with guard(self.name):
            connection = _connected()
            mail = EmailMessage(
                subject=message.subject,
                body=message.body,
                to=[message.to],
                headers={"Message-ID": message_id},
                connection=connection,
            )
            try:
                mail.send()
            except smtplib.SMTPRecipientsRefused as error:
                raise _refusal(min(code for code, _told in error.recipients.values())) from error
            except smtplib.SMTPResponseException as error:
                raise _refusal(error.smtp_code) from error
            except (smtplib.SMTPException, OSError) as error:
                raise GatewayError(f"{type(error).__name__} from the mail server") from error
            finally:
                connection.close()
        return message_id


def _connected() -> BaseEmailBackend:
    """Only the connection is tried twice: a mail whose answer was lost may have been taken."""
    connection = get_connection()
    attempts = Retrying(
        stop=stop_after_attempt(2),
        wait=wait_exponential_jitter(multiplier=0.1, max=1),
        retry=retry_if_exception_type((smtplib.SMTPException, OSError)),
        reraise=True,
    )
    try:
        attempts(connection.open)
    except (smtplib.SMTPException, OSError) as error:
        raise GatewayError(f"{type(error).__name__} from the mail server") from error
    return connection


def _refusal(code: int) -> GatewayError:
    """5xx is for good, the rest for now (RFC 5321 section 4.2.1)."""
    if 500 <= code < 600:
        return MessageRefused(f"refused with {code}")
    return GatewayError(f"answered {code}")


SMTP = Smtp()
