from django.urls import path, re_path

from statistics.dashboards import views

urlpatterns = [
    path("statistics/dashboard/", views.month_page, name="dashboard"),
    path("statistics/dashboard/funnel/", views.funnel_page, name="dashboard-funnel"),
    path("statistics/dashboard/flows/", views.flows_page, name="dashboard-flows"),
    path("statistics/dashboard/contracts/", views.gaps_page, name="dashboard-gaps"),
    path("statistics/dashboard/cases/", views.cases_page, name="dashboard-cases"),
    re_path(
        r"^statistics/dashboard/export\.(?P<kind>csv|xlsx|pdf)$",
        views.dashboard_file,
        name="dashboard-file",
    ),
]
