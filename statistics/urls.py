from django.urls import include, path

from statistics import views

urlpatterns = [
    path("", include("statistics.open_data.urls")),
    path("", include("statistics.pathways.urls")),
    path("statistics/", views.statistics_page, name="statistics"),
    path("statistics/export.csv", views.statistics_csv, name="statistics-csv"),
    path("statistics/export.xlsx", views.statistics_xlsx, name="statistics-xlsx"),
]
