from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatisticsConfig(AppConfig):
    name = "statistics"
    verbose_name = _("Statistik")

    def ready(self) -> None:
        from statistics.waiting_times import retention as waiting_times_kept

        waiting_times_kept.register_all()
