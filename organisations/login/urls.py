"""Login, the session and the account page."""

from django.urls import path

from organisations.login import account_views, views

urlpatterns = [
    path("login/", views.login_page, name="login"),
    path("login/siths/", views.siths_start, name="siths-start"),
    path("login/siths/callback/", views.siths_callback, name="siths-callback"),
    path("logout/", views.Logout.as_view(), name="logout"),
    path("logout/everywhere/", account_views.logout_everywhere, name="logout-everywhere"),
    path("session/", views.session_status, name="session-status"),
    path("session/keep/", views.session_keep, name="session-keep"),
    path("session/kept/", views.session_kept, name="session-kept"),
    path("session/forget/", views.session_forget, name="session-forget"),
    path("account/", account_views.account_page, name="account"),
    path("account/tokens/<str:token_key>/revoke/", account_views.token_revoke, name="token-revoke"),
]
