from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganisationsConfig(AppConfig):
    name = "organisations"
    verbose_name = _("Organisationer")

    def ready(self) -> None:
        from organisations.events import deliver_events
        from organisations.sweeps import register_sweep

        register_sweep("events", deliver_events)
