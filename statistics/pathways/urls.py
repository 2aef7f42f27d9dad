from django.urls import path

from statistics.pathways import views

urlpatterns = [
    path("statistics/pathways/", views.pathways_page, name="pathways"),
    path("statistics/pathways/export.csv", views.pathways_csv, name="pathways-csv"),
    path("statistics/pathways/export.xlsx", views.pathways_xlsx, name="pathways-xlsx"),
    path("statistics/pathways/settings/", views.pathway_settings, name="pathway-settings"),
]
