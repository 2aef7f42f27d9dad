from django.urls import include, path

from statistics import views

urlpatterns = [
    path("", include("statistics.dashboards.urls")),
    path("", include("statistics.open_data.urls")),
    path("", include("statistics.pathways.urls")),
    path("statistics/", views.statistics_page, name="statistics"),
    path("statistics/export.csv", views.statistics_csv, name="statistics-csv"),
    path("statistics/export.xlsx", views.statistics_xlsx, name="statistics-xlsx"),
    path("", include("statistics.waiting_times.urls")),
    path("", include("statistics.guarantee.urls")),
    path("", include("statistics.performance.urls")),
    path("", include("statistics.frozen.urls")),
]
