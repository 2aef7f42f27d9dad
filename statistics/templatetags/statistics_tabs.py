from typing import Any

from django import template
from django.utils import timezone

from organisations.pages import actor_of
from statistics.tabs import tabs_for

register = template.Library()


@register.simple_tag(takes_context=True)
def statistics_tabs(context: dict[str, Any]) -> list[dict[str, object]]:
    """The tabs of the page that is shown."""
    request = context["request"]
    return tabs_for(actor_of(request), request.GET, today=timezone.localdate())
