"""What leaves with a notice: its text, and what is added at the last moment."""

from notices.models import Notice


def body_of(notice: Notice) -> str:
    """The text as the patient gets it, the same each time the notice is handed over.

    The gateway refuses another text under the same idempotency key, so nothing here may depend on
    the time.
    """
    return notice.body
