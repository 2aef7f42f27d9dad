from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatisticsConfig(AppConfig):
    name = "statistics"
    verbose_name = _("Statistik")

    def ready(self) -> None:
        from organisations.administration.signs import register_signs
        from organisations.sweeps import register_sweep
        from statistics.frozen import services, signs

        register_sweep("frozen_months", services.run_months)
        register_signs("frozen_months", signs.signs)
