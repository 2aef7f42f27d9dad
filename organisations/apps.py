from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class OrganisationsConfig(AppConfig):
    name = "organisations"
    verbose_name = _("Organisationer")

    def ready(self) -> None:
        from organisations.access_log.sealing import seal_log
        from organisations.administration.services import send_invitations
        from organisations.events import deliver_events
        from organisations.row_security import grant_to_application
        from organisations.sweeps import register_sweep

        register_sweep("events", deliver_events)
        register_sweep("invitations", send_invitations)
        register_sweep("access log", seal_log)
        post_migrate.connect(grant_to_application, sender=self, dispatch_uid="row_security")
