"""Addresses of waiting times and of what matching weighs."""

from django.urls import path

from capacity import views

urlpatterns = [
    path("situation/", views.situation_page, name="situation"),
    path("situation/units/<str:hsa_id>/", views.unit_page, name="situation-unit"),
    path("matching/weights/", views.weights_page, name="matching-weights"),
    path("situation/files/", views.files_page, name="waiting-time-files"),
    path("situation/files/<int:pk>/", views.file_page, name="waiting-time-file"),
]
