"""Pages of the API by cursor: page 500 costs what page 1 does."""

from typing import Any

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """The order is the view's queryset's own, which ends in the key."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
    ordering = "pk"

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """What the queryset is ordered by; the key when it is in no order of its own."""
        return tuple(queryset.query.order_by) or ("pk",)
