from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReferralConfig(AppConfig):
    name = "referral"
    verbose_name = _("Vårdförmedling")

    def ready(self) -> None:
        from organisations.sweeps import register_sweep
        from referral import own_waits, plan_figures, retention
        from referral.services import expire_offers

        register_sweep("offers", expire_offers)
        own_waits.subscribe_all()
        plan_figures.register()
        retention.register_all()
