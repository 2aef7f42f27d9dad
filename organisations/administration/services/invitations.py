"""Invitations: made, sent, sent again, withdrawn and taken up once."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from organisations.access import Actor
from organisations.administration.authority import Place, require_may_give, require_rule_over
from organisations.administration.checks import check_person, check_place, refuse
from organisations.administration.log import Verb, record
from organisations.administration.services.assignments import assign, described
from organisations.errors import InvalidInput, NotAllowed, WrongState
from organisations.events import wake
from organisations.models import Assignment, Invitation, User
from organisations.models.administration import new_nonce
from organisations.sweeps import claim_due

logger = logging.getLogger(__name__)

VALID = timedelta(days=7)
MAX_ATTEMPTS = 10


def invite(
    *,
    name: str,
    email: str,
    hsa_id: str = "",
    role: str,
    place: Place,
    actor: Actor,
    now: datetime,
) -> Invitation:
    """Offer a person an assignment by e-mail; the link serves once and for seven days.

    Outside the demonstration the HSA-id is required: the link is then of use to nobody else.
    """
    require_may_give(actor, role, place)
    check_person(name=name, email=email, hsa_id=hsa_id)
    if not hsa_id and not settings.DEMO:
        refuse({"hsa_id": _("HSA-id behövs: personen loggar in med SITHS.")})
    check_place(role, place)
    _refuse_double(email=email, role=role, place=place, now=now)
    inviter = User.objects.get(pk=actor.user_id or 0)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            name=name.strip(),
            email=email.strip(),
            hsa_id=hsa_id,
            role=role,
            invited_by=inviter,
            invited_at=now,
            expires_at=now + VALID,
            due_at=now,
            **place.as_fields(),
        )
        _record(Verb.INVITED, invitation, actor=actor, now=now)
        transaction.on_commit(wake)
    return invitation


def _refuse_double(*, email: str, role: str, place: Place, now: datetime) -> None:
    same = Invitation.objects.open(now=now).filter(
        email__iexact=email.strip(), role=role, **place.as_fields()
    )
    if same.exists():
        text = _("Personen är redan inbjuden till uppdraget. Skicka inbjudan igen i stället.")
        raise InvalidInput(text, fields={"email": text})


@transaction.atomic
def invite_again(invitation: Invitation, *, actor: Actor, now: datetime) -> Invitation:
    """Send a new link, valid for seven days from now; the old one is worthless at once."""
    locked = _open(invitation, actor=actor)
    locked.nonce = new_nonce()
    locked.expires_at = now + VALID
    locked.due_at = now
    locked.sent_at = None
    locked.attempts = 0
    locked.last_error = ""
    locked.save()
    _record(Verb.INVITED_AGAIN, locked, actor=actor, now=now)
    transaction.on_commit(wake)
    return locked


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, actor: Actor, now: datetime) -> Invitation:
    locked = _open(invitation, actor=actor)
    locked.withdrawn_at = now
    locked.due_at = None
    locked.save(update_fields=["withdrawn_at", "due_at"])
    _record(Verb.INVITATION_WITHDRAWN, locked, actor=actor, now=now)
    return locked


def accept_invitation(invitation: Invitation, *, user: User, now: datetime) -> Assignment:
    """The logged-in user takes the assignment up.

    Raises :class:`WrongState` when the link has served, was withdrawn or is too old, and
    :class:`NotAllowed` when it was made for somebody else's HSA-id or by the user.
    """
    try:
        with transaction.atomic():
            return _accept(_standing(invitation, now=now), user, now=now)
    except IntegrityError as error:
        raise _not_yours() from error


def accept_as_new(
    invitation: Invitation, *, login: str, password: str, now: datetime
) -> Assignment:
    """A person new to Vårdlots takes it up with a password; in a demonstration only (design 4)."""
    if not settings.DEMO:
        raise NotAllowed(_("Lösenord används bara i demonstration."))
    name = login.strip()
    if not 3 <= len(name) <= 60 or not name.isprintable():
        refuse({"login": _("Användarnamnet har mellan 3 och 60 tecken.")})
    try:
        validate_password(password)
    except ValidationError as error:
        refuse({"password": " ".join(error.messages)})
    try:
        with transaction.atomic():
            locked = _standing(invitation, now=now)
            user = _new_user(locked, login=name, password=password)
            return _accept(locked, user, now=now)
    except IntegrityError as error:
        text = _("Användarnamnet eller HSA-id:t finns redan. Logga in i stället.")
        raise InvalidInput(text, fields={"login": text}) from error


def invited_user(hsa_id: str, *, name: str, now: datetime) -> User | None:
    """Whom an open invitation lets in at the first SITHS login; ``None`` lets nobody in.

    The login asks when no user has the HSA-id. The user has no assignment until the invitation
    is accepted, and no password ever.
    """
    open_ones = Invitation.objects.open(now=now).filter(hsa_id=hsa_id)
    invitation = open_ones.first() if hsa_id else None
    if invitation is None:
        return None
    user, _created = User.objects.get_or_create(
        hsa_id=hsa_id,
        defaults={
            "login": hsa_id,
            "name": (name.strip() or invitation.name)[:120],
            "email": invitation.email,
            "password": "!",  # nosec B105 # a name or an empty text, no password
        },
    )
    return user


def send_invitations(*, now: datetime, limit: int = 100) -> int:
    """Send the invitations that are due; returns how many were handled."""
    with transaction.atomic():
        due = claim_due(
            Invitation.objects.open(now=now).select_related(
                "region", "care_unit", "provider", "invited_by"
            ),
            now=now,
            limit=limit,
        )
        for invitation in due:
            _send(invitation, now=now)
    return len(due)


def _send(invitation: Invitation, *, now: datetime) -> None:
    invitation.attempts += 1
    try:
        EmailMessage(
            subject=_("Inbjudan till Vårdlots"),
            body=render_to_string(
                "organisations/invitation.txt",
                {
                    "invitation": invitation,
                    "link": settings.BASE_URL + reverse("invitation", args=[invitation.token]),
                    "last": timezone.localtime(invitation.expires_at),
                },
            ),
            to=[invitation.email],
            headers={"Message-ID": f"<invitation.{invitation.nonce}@vardlots>"},
        ).send()
    except Exception as error:  # noqa: BLE001 – whatever the mail server answers
        logger.warning("an invitation could not be sent: %s", type(error).__name__)
        invitation.last_error = type(error).__name__
        again = invitation.attempts < MAX_ATTEMPTS
        pause = timedelta(minutes=min(360, 2**invitation.attempts))
        invitation.due_at = now + pause if again else None
    else:
        invitation.sent_at = now
        invitation.due_at = None
        invitation.last_error = ""
    invitation.save(update_fields=["attempts", "last_error", "due_at", "sent_at"])


def _open(invitation: Invitation, *, actor: Actor) -> Invitation:
    """Lock an invitation that is neither accepted nor withdrawn; it may have expired."""
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    require_rule_over(actor, Place.of(locked))
    require_may_give(actor, locked.role, Place.of(locked))
    if locked.accepted_at or locked.withdrawn_at:
        raise WrongState(_("Inbjudan är redan antagen eller återtagen."), code="invitation_closed")
    return locked


def _standing(invitation: Invitation, *, now: datetime) -> Invitation:
    """Lock the invitation, which must still be open at ``now``, by the same link."""
    locked = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("region", "care_unit", "provider")
        .get(pk=invitation.pk)
    )
    if locked.accepted_at:
        raise WrongState(_("Inbjudan är redan använd."), code="invitation_used")
    if locked.withdrawn_at or locked.nonce != invitation.nonce:
        raise WrongState(_("Inbjudan gäller inte längre."), code="invitation_withdrawn")
    if now >= locked.expires_at:
        raise WrongState(_("Inbjudan har gått ut. Be om en ny."), code="invitation_expired")
    return locked


def _new_user(invitation: Invitation, *, login: str, password: str) -> User:
    return User.objects.create_user(
        login,
        password=password,
        name=invitation.name,
        email=invitation.email,
        hsa_id=invitation.hsa_id or None,
    )


def _accept(invitation: Invitation, user: User, *, now: datetime) -> Assignment:
    if user.pk == invitation.invited_by_id:
        raise NotAllowed(_("Du kan inte anta en inbjudan som du själv har gjort."))
    place = Place.of(invitation)
    check_place(invitation.role, place)
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.is_active:
        raise NotAllowed(_("Du är avstängd från Vårdlots."))
    if invitation.hsa_id and locked.hsa_id != invitation.hsa_id:
        # Only a password login, which the demonstration alone has, comes without an HSA-id.
        if locked.hsa_id or not settings.DEMO:
            raise _not_yours()
        locked.hsa_id = invitation.hsa_id
        locked.save(update_fields=["hsa_id"])
    made = assign(locked, role=invitation.role, place=place, now=now)
    invitation.accepted_at = now
    invitation.assignment = made
    invitation.due_at = None
    invitation.save(update_fields=["accepted_at", "assignment", "due_at"])
    record(
        Verb.INVITATION_ACCEPTED,
        actor=Actor(role=invitation.role, name=locked.name, user_id=locked.pk, place=str(place)),
        now=now,
        subject=invitation.name,
        region=place.ruling_region,
        person=locked,
        details=described(invitation.role, place),
    )
    return made


def _not_yours() -> NotAllowed:
    return NotAllowed(_("Inbjudan gäller en annan person. Logga in med rätt SITHS-kort."))


def _record(verb: Verb, invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    place = Place.of(invitation)
    record(
        verb,
        actor=actor,
        now=now,
        subject=invitation.name,
        region=place.ruling_region,
        care_unit=None,
        details=described(invitation.role, place)
        | {"e-post": invitation.email, "HSA-id": invitation.hsa_id},
    )
