from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ContractsConfig(AppConfig):
    name = "contracts"
    verbose_name = _("Avtal")

    def ready(self) -> None:
        from contracts import retention
        from contracts.services import process_treated
        from contracts.services.openings import open_by_date
        from organisations.sweeps import register_sweep

        register_sweep("openings", open_by_date)
        register_sweep("invoices", process_treated)
        retention.register_all()
