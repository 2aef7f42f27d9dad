from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatisticsConfig(AppConfig):
    name = "statistics"
    verbose_name = _("Statistik")

    def ready(self) -> None:
        from statistics.waiting_times import retention as waiting_times_kept

        waiting_times_kept.register_all()
        from organisations.sweeps import register_sweep
        from referral.retention import before_thinning
        from statistics.facts import rollup, upkeep

        upkeep.subscribe_all()
        before_thinning(upkeep.forget)
        # After the events, so that what they tell is counted in the same run.
        register_sweep("facts", upkeep.refresh_stale)
        register_sweep("months", rollup.count_due)
