"""An OpenID provider as a real server: pyop, which shares no code with Authlib on our side.

It checks the client, the redirect address and the PKCE verifier. ``claims`` is what it says of the
person, and ``tamper`` lets a test have it sign something that it never should.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from Cryptodome.PublicKey import RSA
from flask import Flask, Response, jsonify, redirect, request
from jwkest.jwk import RSAKey
from jwkest.jws import JWS
from oic.oic.message import AuthorizationErrorResponse
from pyop.authz_state import AuthorizationState
from pyop.exceptions import InvalidAccessToken, InvalidClientAuthentication, OAuthError
from pyop.provider import Provider
from pyop.subject_identifier import HashBasedSubjectIdentifierFactory
from pyop.userinfo import Userinfo
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "vardlots", "a secret of the test"
PERSON = "person"
LOA3 = "http://id.sambi.se/loa/loa3"
_KEY = RSAKey(key=RSA.generate(2048), alg="RS256", use="sig", kid="first")
_OTHER_KEY = RSAKey(key=RSA.generate(2048), alg="RS256", use="sig", kid="first")


class TestProvider:
    """The running provider; tests set ``claims``, ``userinfo``, ``tamper`` and ``cancels``."""

    __test__ = False

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.tamper: Callable[[dict[str, Any]], None] | None = None
        self.signs_with_another_key = False
        self.unsigned = False
        self.cancels = False
        self.ends_sessions = False
        self.token_requests = 0
        self._app = Flask("provider")
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        # pyop insists on TLS in its own metadata; on the loopback there is none.
        secure = self._metadata() | {"issuer": self.issuer.replace("http:", "https:")}
        self.provider = _Provider(self, _KEY, secure)
        self.provider.configuration_information["issuer"] = self.issuer
        self._route()

    def register(self, redirect_uri: str) -> None:
        self.provider.clients[CLIENT_ID] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [redirect_uri],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
        }

    @contextmanager
    def running(self) -> Iterator["TestProvider"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": ["openid", "profile"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _route(self) -> None:
        app = self._app
        app.add_url_rule("/.well-known/openid-configuration", view_func=self._configuration)
        app.add_url_rule("/jwks", view_func=self._jwks)
        app.add_url_rule("/authorize", view_func=self._authorize)
        app.add_url_rule("/token", view_func=self._token, methods=["POST"])
        app.add_url_rule("/userinfo", view_func=self._userinfo, methods=["GET", "POST"])

    def _configuration(self) -> Response:
        told = self.provider.provider_configuration.to_dict()
        if self.ends_sessions:
            told["end_session_endpoint"] = f"{self.issuer}/logout"
        return jsonify(told)

    def _jwks(self) -> Response:
        return jsonify(self.provider.jwks)

    def _authorize(self) -> Any:
        asked = self.provider.parse_authentication_request(request.query_string.decode())
        if self.cancels:
            refused = AuthorizationErrorResponse(error="access_denied", state=asked["state"])
            return redirect(refused.request(asked["redirect_uri"]))
        self.provider.userinfo = Userinfo({PERSON: {"sub": PERSON, **self.userinfo}})
        answer = self.provider.authorize(asked, PERSON)
        return redirect(answer.request(asked["redirect_uri"]))

    def _token(self) -> Any:
        self.token_requests += 1
        try:
            answer = self.provider.handle_token_request(
                request.get_data().decode(), dict(request.headers), self.claims
            )
        except InvalidClientAuthentication:
            return jsonify(error="invalid_client"), 401
        except OAuthError as error:
            return jsonify(error=error.oauth_error), 400
        return jsonify(answer.to_dict())

    def _userinfo(self) -> Any:
        try:
            self.provider.authz_state.introspect_access_token(
                request.headers["Authorization"].removeprefix("Bearer ")
            )
        except InvalidAccessToken:
            return jsonify(error="invalid_token"), 401
        return jsonify({"sub": PERSON, **self.userinfo})


class _Provider(Provider):
    """pyop's provider, which signs what the test has tampered with."""

    def __init__(self, owner: TestProvider, key: RSAKey, metadata: dict[str, Any]) -> None:
        super().__init__(
            key,
            metadata,
            AuthorizationState(HashBasedSubjectIdentifierFactory("salt")),
            {},
            Userinfo({}),
        )
        self.owner = owner

    def _create_signed_id_token(self, *args: Any, **kwargs: Any) -> str:
        token = super()._create_signed_id_token(*args, **kwargs)
        claims = json.loads(_decode(token.split(".")[1]))
        if self.owner.tamper:
            self.owner.tamper(claims)
        if self.owner.unsigned:
            header = _encode(json.dumps({"alg": "none"}).encode())
            return f"{header}.{_encode(json.dumps(claims).encode())}."
        key = _OTHER_KEY if self.owner.signs_with_another_key else _KEY
        return JWS(json.dumps(claims), alg="RS256", kid="first").sign_compact([key])


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
