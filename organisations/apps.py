from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OrganisationsConfig(AppConfig):
    name = "organisations"
    verbose_name = _("Organisationer")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from organisations import retention
        from organisations.access_log.sealing import seal_log
        from organisations.administration.services import send_invitations
        from organisations.events import deliver_events
        from organisations.login.kept import sweep_kept_texts
        from organisations.login.lockout import sweep_failed_logins
        from organisations.login.sessions import start_clock_at_login, sweep_sessions
        from organisations.row_security import grant_to_application
        from organisations.sweeps import register_sweep

        user_logged_in.connect(start_clock_at_login, dispatch_uid="session clock")
        register_sweep("events", deliver_events)
        register_sweep("invitations", send_invitations)
        register_sweep("access log", seal_log)
        register_sweep("sessions", sweep_sessions)
        register_sweep("failed_logins", sweep_failed_logins)
        register_sweep("kept_texts", sweep_kept_texts)
        retention.register_all()
        post_migrate.connect(grant_to_application, sender=self, dispatch_uid="row_security")
