"""Addresses of the patient's own page. ``/svar/`` is Swedish and short: people type it."""

from django.urls import path

from notices.own_page import need_views, views

urlpatterns = [
    path("svar/", views.start, name="own-page"),
    path("svar/identify/", views.identify, name="own-page-identify"),
    path("svar/identified/", views.identified, name="own-page-identified"),
    path("svar/case/", views.case, name="own-page-case"),
    path("svar/case/accept/", views.accept, name="own-page-accept"),
    path("svar/case/decline/", views.decline, name="own-page-decline"),
    path("svar/case/receipt/", views.receipt, name="own-page-receipt"),
    path("svar/case/call/", views.call, name="own-page-call"),
    path("svar/case/call/cancel/", views.call_cancel, name="own-page-call-cancel"),
    path("svar/case/need/", need_views.need, name="own-page-need"),
    path("svar/case/leave-list/", need_views.leave_list, name="own-page-leave-list"),
    path("svar/leave/", views.leave, name="own-page-leave"),
    path("svar/<str:number>/", views.start, name="own-page-number"),
]
