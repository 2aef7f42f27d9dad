from django.urls import path

from statistics.pathways import file_views, views

urlpatterns = [
    path("statistics/pathways/", views.pathways_page, name="pathways"),
    path("statistics/pathways/export.csv", views.pathways_csv, name="pathways-csv"),
    path("statistics/pathways/export.xlsx", views.pathways_xlsx, name="pathways-xlsx"),
    path("statistics/pathways/settings/", views.pathway_settings, name="pathway-settings"),
    path("statistics/pathways/told/<str:what>.<str:kind>", file_views.told, name="pathway-told"),
    path(
        "statistics/pathways/told/<str:what>/<int:pk>/withdraw/",
        views.pathway_withdraw,
        name="pathway-withdraw",
    ),
    path("statistics/pathways/import/<str:what>/", file_views.import_page, name="pathway-import"),
    path("statistics/pathways/files/<int:pk>/", file_views.file_page, name="pathway-file"),
    path(
        "statistics/pathways/files/<int:pk>/faults.<str:kind>",
        file_views.faults,
        name="pathway-faults",
    ),
]
