"""Addresses of waiting times, of what matching weighs, of free places and of delivery plans."""

from django.urls import include, path

from capacity import views
from capacity.slots import views as slots

urlpatterns = [
    path("situation/", views.situation_page, name="situation"),
    path("situation/units/<str:hsa_id>/", views.unit_page, name="situation-unit"),
    path("matching/weights/", views.weights_page, name="matching-weights"),
    path("situation/files/", views.files_page, name="waiting-time-files"),
    path("situation/files/<int:pk>/", views.file_page, name="waiting-time-file"),
    path("free-capacity/", slots.slots_page, name="free-capacity"),
    path("free-capacity/new/", slots.slot_new, name="free-capacity-new"),
    path("free-capacity/import/", slots.slots_import, name="free-capacity-import"),
    path("free-capacity/<int:pk>/", slots.slot_edit, name="free-capacity-edit"),
    path("free-capacity/<int:pk>/withdraw/", slots.slot_withdraw, name="free-capacity-withdraw"),
    path("", include("capacity.plans.urls")),
]
