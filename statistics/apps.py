from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatisticsConfig(AppConfig):
    name = "statistics"
    verbose_name = _("Statistik")

    def ready(self) -> None:
        from organisations.sweeps import register_sweep
        from statistics.open_data.services import publish_due

        register_sweep("open_data", publish_due)
