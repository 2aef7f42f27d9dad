"""Addresses of delivery plans."""

from django.urls import path

from capacity.plans import views

urlpatterns = [
    path("delivery-plans/", views.plans_page, name="delivery-plans"),
    path("delivery-plans/new/", views.plan_new, name="delivery-plan-new"),
    path("delivery-plans/<int:pk>/", views.plan_page, name="delivery-plan"),
    path("delivery-plans/<int:pk>/edit/", views.plan_edit, name="delivery-plan-edit"),
    path("delivery-plans/<int:pk>/import/", views.plan_import, name="delivery-plan-import"),
    path("delivery-plans/<int:pk>/agree/", views.plan_agree, name="delivery-plan-agree"),
    path("delivery-plans/<int:pk>/revise/", views.plan_revise, name="delivery-plan-revise"),
    path("delivery-plans/<int:pk>/discard/", views.plan_discard, name="delivery-plan-discard"),
    path("delivery-plans/<int:pk>/end/", views.plan_end, name="delivery-plan-end"),
    path(
        "delivery-plans/<int:pk>/versions/<int:number>/",
        views.version_page,
        name="delivery-plan-version",
    ),
    path(
        "delivery-plans/<int:pk>/report.<str:kind>", views.plan_report, name="delivery-plan-report"
    ),
]
