from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CapacityConfig(AppConfig):
    name = "capacity"
    verbose_name = _("Kapacitet")

    def ready(self) -> None:
        from capacity.plans.services import flag_behind
        from organisations.sweeps import register_sweep

        register_sweep("delivery_plans", flag_behind)
