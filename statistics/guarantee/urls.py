from django.urls import path

from statistics.guarantee import views

urlpatterns = [
    path("statistics/guarantee/", views.guarantee_page, name="guarantee"),
    path("statistics/guarantee/export.csv", views.guarantee_csv, name="guarantee-csv"),
    path("statistics/guarantee/export.xlsx", views.guarantee_xlsx, name="guarantee-xlsx"),
]
