from django.urls import path

from statistics.performance import views

urlpatterns = [
    path("statistics/performance/", views.performance_page, name="performance"),
    path("statistics/performance/export.csv", views.performance_csv, name="performance-csv"),
    path("statistics/performance/import/", views.performance_import, name="performance-import"),
]
