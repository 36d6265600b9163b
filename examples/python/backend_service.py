"""A backend service: gets tokens for itself and reads patients through the edge.

    python backend_service.py new-key service.key.json > service.jwks.json
    python backend_service.py read

`read` takes from the environment: ISSUER, FHIR, CLIENT_ID, and how the service proves who it is, CLIENT_KEY_FILE (a key that
`new-key` made) or CLIENT_SECRET. docs/guides/backend-service.md explains each step.

Packages: requests, joserfc.
"""

import json
import os
import sys
import time
import uuid

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Service:
    """A client that acts for itself."""

    def __init__(self, issuer, client_id, secret=None, key=None, scope="system/Patient.rs"):
        self.client_id, self.secret, self.key, self.scope = client_id, secret, key, scope
        self.http = requests.Session()
        # Addresses come from the metadata; the issuer's name is compared, so nobody else's is taken.
        answer = self.http.get(f"{issuer}/.well-known/openid-configuration", timeout=10)
        answer.raise_for_status()
        self.metadata = answer.json()
        if self.metadata["issuer"] != issuer:
            raise ValueError(f"this is the metadata of {self.metadata['issuer']}")
        self.token, self.expires_at = None, 0.0

    def access_token(self):
        """A token that is good for another half minute at least. One is used for many calls."""
        if time.monotonic() > self.expires_at - 30:
            asked_at = time.monotonic()
            form = {"grant_type": "client_credentials", "scope": self.scope}
            if self.key:
                form |= {"client_assertion_type": ASSERTION, "client_assertion": self.assertion()}
                answer = self.http.post(self.metadata["token_endpoint"], data=form, timeout=10)
            else:
                secret = (self.client_id, self.secret)
                answer = self.http.post(self.metadata["token_endpoint"], data=form, auth=secret, timeout=10)
            if not answer.ok:
                problem = answer.json()
                raise PermissionError(f"{problem['error']}: {problem['error_description']} {problem['error_uri']}")
            tokens = answer.json()
            self.token, self.expires_at = tokens["access_token"], asked_at + tokens["expires_in"]
        return self.token

    def assertion(self):
        """A JWT that says who we are, for one request within a minute (RFC 7523). The key itself never leaves this machine."""
        now = int(time.time())
        header = {"alg": "ES384", "typ": "JWT", "kid": self.key.kid}
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.metadata["token_endpoint"],
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode(header, claims, self.key, algorithms=["ES384"])

    def get(self, url, attempts=3):
        """Reads a FHIR resource. Waits where it is told to, and asks for another token once one is refused."""
        for attempt in range(attempts):
            headers = {"Authorization": f"Bearer {self.access_token()}", "Accept": "application/fhir+json"}
            answer = self.http.get(url, headers=headers, timeout=30)
            is_last = attempt == attempts - 1
            if answer.status_code == 401 and not is_last:
                self.expires_at = 0.0
            elif answer.status_code in (429, 503) and not is_last:
                time.sleep(min(int(answer.headers.get("Retry-After", "1")), 60))
            else:
                answer.raise_for_status()
                return answer.json()


def new_key(path):
    """Makes a key, writes it to a file that only its owner reads, and prints the public half for `wardgate client add --jwks`."""
    key = ECKey.generate_key("P-384", parameters={"use": "sig", "alg": "ES384", "kid": str(uuid.uuid4())}, private=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as text:
        json.dump(key.as_dict(private=True), text)
    print(json.dumps({"keys": [key.as_dict(private=False)]}))


def read_patients():
    environment = os.environ
    key = None
    if "CLIENT_KEY_FILE" in environment:
        with open(environment["CLIENT_KEY_FILE"], encoding="ascii") as text:
            key = ECKey.import_key(json.load(text))
    secret = environment.get("CLIENT_SECRET")
    service = Service(environment["ISSUER"], environment["CLIENT_ID"], secret, key)
    bundle = service.get(f"{environment['FHIR']}/Patient")
    for entry in bundle.get("entry", []):
        print(entry["resource"]["resourceType"], entry["resource"]["id"])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["new-key", path]:
            new_key(path)
        case ["read"]:
            read_patients()
        case _:
            sys.exit(__doc__)
