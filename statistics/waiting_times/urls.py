from django.urls import path

from statistics.waiting_times import views

BASE = "statistics/waiting-times/"

urlpatterns = [
    path(BASE, views.deliveries_page, name="waiting-times"),
    path(f"{BASE}check/", views.check_page, name="waiting-times-check"),
    path(f"{BASE}reporting/", views.reporting_page, name="waiting-times-reporting"),
    path(f"{BASE}layout/", views.layout_page, name="waiting-times-layout"),
    path(f"{BASE}<str:number>/", views.receipt_page, name="waiting-times-receipt"),
    path(f"{BASE}<str:number>/receipt.json", views.receipt_json, name="waiting-times-receipt-json"),
    path(f"{BASE}<str:number>/faults.csv", views.faults_csv, name="waiting-times-faults"),
    path(f"{BASE}<str:number>/file.csv", views.delivered_file, name="waiting-times-file"),
]
