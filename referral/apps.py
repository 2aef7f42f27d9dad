from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralConfig(AppConfig):
    name = "referral"
    verbose_name = _("Vårdförmedling")

    def ready(self) -> None:
        from organisations.sweeps import register_sweep
        from referral import invoice_checks, own_waits, plan_figures, retention, watch_hits
        from referral.services import expire_offers, run_allocations
        from referral.waiting_list_file import retention as waiting_lists_kept
        from referral.waiting_list_file.services import run_waiting_lists

        register_sweep("offers", expire_offers)
        register_sweep("allocations", run_allocations)
        register_sweep("waiting_lists", run_waiting_lists)
        invoice_checks.register_all()
        own_waits.subscribe_all()
        watch_hits.subscribe_all()
        plan_figures.register()
        retention.register_all()
        waiting_lists_kept.register_all()
