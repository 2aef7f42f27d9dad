"""Addresses of waiting times and delivery plans."""

from django.urls import include, path

from capacity import views

urlpatterns = [
    path("situation/", views.situation_page, name="situation"),
    path("situation/units/<str:hsa_id>/", views.unit_page, name="situation-unit"),
    path("situation/files/", views.files_page, name="waiting-time-files"),
    path("situation/files/<int:pk>/", views.file_page, name="waiting-time-file"),
    path("", include("capacity.plans.urls")),
]
