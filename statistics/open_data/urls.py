"""Public addresses; ``datasets/dcat`` is where Sveriges dataportal looks unless told otherwise."""

from django.urls import path

from statistics.open_data import views

urlpatterns = [
    path("open-data/", views.open_data_page, name="open-data"),
    path("open-data/figures.<str:kind>", views.open_data_file, name="open-data-file"),
    path("open-data/schema.json", views.open_data_schema, name="open-data-schema"),
    path("open-data/dcat.rdf", views.open_data_catalogue, name="open-data-catalogue"),
    path("datasets/dcat", views.open_data_catalogue, name="open-data-harvest"),
    path(
        "open-data/<str:period>/<int:version>/figures.<str:kind>",
        views.open_data_edition,
        name="open-data-edition",
    ),
]
