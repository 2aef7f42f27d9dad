"""What the pages of a case share: finding it, and doing what a form asks for."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.errors import DomainError, InvalidInput
from organisations.plain_forms import PlainForm
from referral.machine import CaseNotFound
from referral.models import Case
from referral.selectors import get_case

Handler = Callable[[Case, dict[str, Any], Actor], Any]


def case_or_404(actor: Actor, number: str) -> Case:
    """The case as far as the actor may see it."""
    try:
        return get_case(actor, number)
    except CaseNotFound as error:
        raise Http404(str(error.message)) from error


def calling(service: Callable[..., Any]) -> Handler:
    """A handler that calls a service whose keyword arguments are the form's fields."""

    def handle(case: Case, data: dict[str, Any], actor: Actor) -> Any:
        return service(case, **data, actor=actor, now=timezone.now())

    return handle


def submitted(request: HttpRequest, form: PlainForm, do: Callable[[], Any], *, label: Any) -> bool:
    """Do what a bound form asks for and say how it went; false when the form is to be shown.

    What the service refuses by field is shown in the form; another refusal is a message, and the
    form is done with.
    """
    if not (form.is_bound and form.is_valid()):
        return False
    try:
        do()
    except InvalidInput as error:
        form.add_refusal(error)
        return False
    except CaseNotFound:
        raise
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Klart: %(action)s.") % {"action": label})
    return True
