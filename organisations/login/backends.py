"""Who may come from a session: SITHS users everywhere, password users in a demonstration."""

from django.contrib.auth.backends import BaseBackend

from organisations.models import User


class SithsBackend(BaseBackend):
    """Takes no password; the login itself is in ``organisations.login.siths``."""

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
