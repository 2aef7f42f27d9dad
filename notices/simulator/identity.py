"""An e-identification to play with: an OpenID provider where one types whom to be.

It speaks over a real connection as the Swedish OpenID profile has it (oidc.se): code flow with
PKCE, nonce, a signed ID token with the identity number. Authlib's server side does the protocol.
It is nobody's proof of anything, so it sends browsers back to the own page on this machine alone.
"""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, Response, jsonify, render_template, request
from joserfc.jwk import ECKey
from werkzeug.wrappers import Response as BaseResponse

from notices.simulator.book import Book

ROOT = "/simulated-eid"
CLIENT_ID = "vardlots-demo"
NUMBER = "https://id.oidc.se/claim/personalIdentityNumber"
SCOPES = ("openid", "https://id.oidc.se/scope/naturalPersonNumber")
ASSURANCE = "http://id.elegnamnden.se/loa/1.0/loa3"
COMES_BACK_TO = "/svar/identified/"
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1", "testserver"})
CODE_SECONDS = 60
MOST_CODES = 1000


@dataclass(frozen=True)
class Person:
    """Whoever one has chosen to be."""

    identity_number: str

    def get_user_id(self) -> str:
        return self.identity_number


@dataclass(frozen=True)
class Code:
    """An authorization code that has been given out and not yet used."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    challenge: str
    method: str
    person: Person
    given_at: float

    @property
    def code_challenge(self) -> str:
        return self.challenge

    @property
    def code_challenge_method(self) -> str:
        return self.method

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.given_at)

    def get_acr(self) -> str:
        return ASSURANCE

    def get_amr(self) -> None:
        return None


class Client(ClientMixin):
    """Vårdlots: a client without a secret, so that PKCE is what binds it."""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(one for one in (scope or "").split() if one in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        address = urlsplit(redirect_uri)
        return address.hostname in THIS_MACHINE and address.path == COMES_BACK_TO

    def check_client_secret(self, client_secret: str) -> bool:
        return False

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "none"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Codes:
    """What is on its way between browser and product, in memory: a restart forgets it."""

    def __init__(self) -> None:
        self._codes: dict[str, Code] = {}
        self._nonces: dict[str, None] = {}

    def keep(self, code: Code) -> None:
        self._codes[code.code] = code
        self._nonces[code.nonce] = None
        for kept in (self._codes, self._nonces):
            while len(kept) > MOST_CODES:
                kept.pop(next(iter(kept)))

    def find(self, code: str) -> Code | None:
        found = self._codes.get(code)
        fresh = found is not None and time.time() - found.given_at < CODE_SECONDS
        return found if fresh else None

    def forget(self, code: Code) -> None:
        self._codes.pop(code.code, None)

    def knows_nonce(self, nonce: str) -> bool:
        return nonce in self._nonces


def add_identity(app: Flask, book: Book) -> None:
    """Let the application identify people too; the book knows who has had messages."""
    codes, key = Codes(), ECKey.generate_key("P-256", {"kid": secrets.token_hex(8)})
    server = AuthorizationServer(app, query_client=_client, save_token=lambda *_given: None)
    server.register_grant(_grant(codes), [_IdToken(codes, key), CodeChallenge(required=True)])

    @app.get(f"{ROOT}/.well-known/openid-configuration")
    def configuration() -> Response:
        issuer = _issuer()
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/jwks",
            scopes_supported=SCOPES,
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["ES256"],
            token_endpoint_auth_methods_supported=["none"],
            code_challenge_methods_supported=["S256"],
            acr_values_supported=[ASSURANCE],
        )

    @app.get(f"{ROOT}/jwks")
    def jwks() -> Response:
        return jsonify(keys=[key.as_dict(private=False)])

    @app.post(f"{ROOT}/token")
    def token() -> Response:
        answer: Response = server.create_token_response()
        return answer

    @app.route(f"{ROOT}/authorize", methods=["GET", "POST"])
    def authorize() -> BaseResponse | str | tuple[str, int]:
        try:
            grant = server.get_consent_grant()
        except OAuth2Error as error:
            return render_template("identity_refused.html", error=error.error), 400
        if request.method == "GET":
            return _choice(book)
        if request.form.get("answer") == "cancel":
            return _answered(server, grant, None)
        number = re.sub(r"[\s-]", "", request.form.get("identity_number", ""))
        if not re.fullmatch(r"[0-9A-Z]{12}", number):
            return _choice(book, problem="Skriv personnumret med tolv siffror."), 422
        return _answered(server, grant, Person(number))


def _client(client_id: str) -> Client | None:
    return Client() if client_id == CLIENT_ID else None


def _issuer() -> str:
    return request.host_url.rstrip("/") + ROOT


def _choice(book: Book, *, problem: str = "") -> str:
    people = dict.fromkeys(m["content"]["recipient"] for m in book.messages(limit=200))
    return render_template("identity.html", people=list(people)[:8], problem=problem)


def _answered(server: AuthorizationServer, grant: Any, person: Person | None) -> BaseResponse:
    answer: BaseResponse = server.create_authorization_response(grant=grant, grant_user=person)
    return answer


def _grant(codes: Codes) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

        def save_authorization_code(self, code: str, asked: Any) -> None:
            data = asked.payload.data
            given = Code(
                code=code,
                redirect_uri=asked.payload.redirect_uri,
                scope=asked.payload.scope,
                nonce=data.get("nonce", ""),
                challenge=data.get("code_challenge", ""),
                method=data.get("code_challenge_method", ""),
                person=asked.user,
                given_at=time.time(),
            )
            codes.keep(given)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return codes.find(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            codes.forget(authorization_code)

        def authenticate_user(self, authorization_code: Code) -> Person:
            return authorization_code.person

    return Grant


class _IdToken(OpenIDCode):
    """The token that says who it was, signed by a key of this run."""

    def __init__(self, codes: Codes, key: ECKey) -> None:
        super().__init__(require_nonce=True)
        self.codes, self.key = codes, key

    def exists_nonce(self, nonce: str, _request: Any) -> bool:
        return self.codes.knows_nonce(nonce)

    def resolve_client_private_key(self, _client: Client) -> ECKey:
        return self.key

    def get_client_algorithm(self, _client: Client) -> str:
        return "ES256"

    def get_encode_header(self, _client: Client) -> dict[str, str]:
        return {"alg": "ES256", "kid": str(self.key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": _issuer(), "aud": [client.get_client_id()]}

    def generate_user_info(self, user: Person, _scope: str) -> UserInfo:
        return UserInfo({"sub": user.identity_number, NUMBER: user.identity_number})
