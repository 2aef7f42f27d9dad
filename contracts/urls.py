from django.urls import path

from contracts import views

urlpatterns = [
    path("contracts/", views.contracts_page, name="contracts"),
    path("contracts/<int:pk>/", views.contract_page, name="contract"),
]
