from django.urls import path

from contracts.views import editing, files, invoices, pages

urlpatterns = [
    path("invoices/", invoices.invoices_page, name="invoices"),
    path("invoices/new/", invoices.invoice_new, name="invoice-new"),
    path("invoices/deviations/", invoices.deviations_page, name="invoice-deviations"),
    path("invoices/lines/<int:pk>/", invoices.invoice_line, name="invoice-line"),
    path("invoices/costs/contracts/", invoices.contract_costs, name="contract-costs"),
    path(
        "invoices/costs/contracts.<str:kind>", invoices.contract_costs, name="contract-costs-file"
    ),
    path("invoices/<int:pk>/", invoices.invoice_page, name="invoice"),
    path("invoices/<int:pk>/file/", invoices.invoice_file, name="invoice-file"),
    path("contracts/", pages.contracts_page, name="contracts"),
    path("contracts/new/", editing.contract_new, name="contract-new"),
    path("contracts/alerts/", pages.alerts_part, name="contract-alerts"),
    path("contracts/import/", files.contracts_import, name="contracts-import"),
    path("contracts/import/<int:pk>/", files.import_report, name="contract-import"),
    path("contracts/import/<int:pk>.<str:kind>", files.import_report, name="contract-import-file"),
    path("contracts/export.<str:kind>", files.contracts_export, name="contracts-export"),
    path("contracts/<int:pk>/", pages.contract_page, name="contract"),
    path("contracts/<int:pk>/ledger/", pages.ledger_page, name="contract-ledger"),
    path("contracts/<int:pk>/history/", pages.history_page, name="contract-history"),
    path("contracts/<int:pk>/history/<int:number>/", pages.version_page, name="contract-version"),
    path("contracts/<int:pk>/edit/", editing.contract_edit, name="contract-edit"),
    path("contracts/<int:pk>/lines/new/", editing.line_edit, name="contract-line-new"),
    path("contracts/<int:pk>/lines/<int:line>/", editing.line_edit, name="contract-line"),
    path("contracts/<int:pk>/contacts/new/", editing.contact_new, name="contract-contact-new"),
    path(
        "contracts/<int:pk>/contacts/<int:contact>/remove/",
        editing.contact_remove,
        name="contract-contact-remove",
    ),
    path(
        "contracts/<int:pk>/checklist/<int:item>/",
        editing.checklist_edit,
        name="contract-checklist",
    ),
    path("contracts/<int:pk>/documents/new/", editing.document_new, name="contract-document-new"),
    path(
        "contracts/<int:pk>/documents/<int:document>/",
        pages.document_file,
        name="contract-document",
    ),
    path(
        "contracts/<int:pk>/documents/<int:document>/remove/",
        editing.document_remove,
        name="contract-document-remove",
    ),
]
