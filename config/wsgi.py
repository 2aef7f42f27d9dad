"""WSGI entry point."""

import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def freeze_loaded() -> None:
    """Load what requests use, and let the garbage collector never look through it again.

    A request that happened to set off the collector's oldest generation waited for all of it.
    """
    from django.conf import settings

    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()


application = get_wsgi_application()
freeze_loaded()
