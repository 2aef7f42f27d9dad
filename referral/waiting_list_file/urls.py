from django.urls import path

from referral.waiting_list_file import views

urlpatterns = [
    path("forms/waiting-lists/", views.lists_page, name="waiting-lists"),
    path(
        "forms/waiting-lists/template.<str:kind>", views.list_template, name="waiting-list-template"
    ),
    path("forms/waiting-lists/<int:pk>/", views.list_page, name="waiting-list"),
    path("forms/waiting-lists/<int:pk>/read/", views.list_read, name="waiting-list-read"),
    path(
        "forms/waiting-lists/<int:pk>/report.<str:kind>",
        views.list_report,
        name="waiting-list-report",
    ),
]
