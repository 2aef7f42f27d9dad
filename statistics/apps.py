from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatisticsConfig(AppConfig):
    name = "statistics"
    verbose_name = _("Statistik")

    def ready(self) -> None:
        from organisations.administration.signs import register_signs
        from organisations.sweeps import register_sweep
        from referral.pathways import register_limits
        from referral.retention import before_thinning
        from statistics.facts import rollup, upkeep
        from statistics.frozen import services, signs
        from statistics.guarantee.services import decide_due
        from statistics.open_data.services import publish_due
        from statistics.pathways.selectors import limits_among
        from statistics.waiting_times import retention as waiting_times_kept

        upkeep.subscribe_all()
        before_thinning(upkeep.forget)
        waiting_times_kept.register_all()
        register_limits(limits_among)
        # After the events, so that what they tell is counted in the same run.
        register_sweep("facts", upkeep.refresh_stale)
        register_sweep("months", rollup.count_due)
        # After both, so that what is frozen is what is known.
        register_sweep("frozen_months", services.run_months)
        # After what is frozen, which tells what is hidden.
        register_sweep("clinics_waiting", decide_due)
        register_signs("frozen_months", signs.signs)
        register_sweep("open_data", publish_due)
