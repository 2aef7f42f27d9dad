from django.urls import path

from contracts.views import pages

urlpatterns = [
    path("contracts/", pages.contracts_page, name="contracts"),
    path("contracts/<int:pk>/", pages.contract_page, name="contract"),
]
