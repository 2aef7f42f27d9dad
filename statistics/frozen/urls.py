from django.urls import path

from statistics.frozen import views

urlpatterns = [
    path("statistics/months/", views.months_page, name="frozen-months"),
    path("statistics/months/<str:month>/", views.month_page_view, name="frozen-month"),
    path("statistics/months/<str:month>/export.<str:kind>", views.month_file, name="frozen-file"),
    path("statistics/months/<str:month>/publish/", views.publish, name="frozen-publish"),
    path("statistics/months/<str:month>/recount/", views.recount, name="frozen-recount"),
    path("statistics/subscription/", views.subscription_page, name="frozen-subscription"),
]
