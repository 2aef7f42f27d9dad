"""``python -m notices.simulator --port 8171 --smtp-port 8172 --data DIR``."""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from notices.simulator.app import create_app
from notices.simulator.mail import smtp_server


class Server(BaseApplication):
    """One gunicorn worker with threads; SMTP, callbacks and the print shop live beside it."""

    def __init__(
        self, port: int, smtp_port: int, data_dir: Path, secret: str, drop: Path | None
    ) -> None:
        self.port, self.smtp_port, self.drop = port, smtp_port, drop
        self.data_dir, self.secret = data_dir, secret
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"127.0.0.1:{self.port}",
            "workers": 1,
            "threads": 8,
            "worker_class": "gthread",
            "graceful_timeout": 1,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        app = create_app(data_dir=self.data_dir, secret=self.secret, drop=self.drop)
        app.extensions["sender"].start()
        if self.drop:
            app.extensions["print_shop"].start()
        smtp_server(app.extensions["book"], self.smtp_port).start()
        return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Gateway simulator (1177, SMTP, printing)")
    parser.add_argument("--port", type=int, default=8171)
    parser.add_argument("--smtp-port", type=int, default=8172)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--print-drop", type=Path, help="play the print provider of this folder too"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    secret = os.environ.get("VARDLOTS_GATEWAY_SECRET", "development-only-gateway-secret")
    ports = arguments.port, arguments.smtp_port
    Server(*ports, arguments.data, secret, arguments.print_drop).run()


if __name__ == "__main__":
    main()
