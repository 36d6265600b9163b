"""Runs ZSAuthClient, kept to the letter in seed/zs_auth_client.py, against a running issuer.

Arguments: the issuer's URL, client id, client secret ("" for a public client), redirect URI, code verifier ("" for none).
It prints the authorization URL, reads the URL of the callback from standard input (somebody signs in meanwhile), and
prints the token response as JSON.

Two things stand outside the class. Base URLs are replaced, as the class has no setting for them. And the class calls
`authorization_url`, the name that requests-oauthlib has for what authlib calls `create_authorization_url`; the name is
given to authlib's session here.
"""

import json
import pathlib
import sys

from authlib.integrations.requests_client import OAuth2Session

OAuth2Session.authorization_url = OAuth2Session.create_authorization_url


def main() -> None:
    issuer, client_id, client_secret, redirect_uri, code_verifier = sys.argv[1:6]
    path = pathlib.Path(__file__).parent / "seed" / "zs_auth_client.py"
    source = path.read_text(encoding="utf-8").replace("https://auth.zarishsphere.com", issuer)
    namespace: dict = {}
    exec(compile(source, str(path), "exec"), namespace)  # the project's own file

    client = namespace["ZSAuthClient"](client_id, client_secret or None, redirect_uri)
    authorization_url, state = client.get_authorization_url()
    print(json.dumps({"authorization_url": authorization_url, "state": state}), flush=True)
    callback = sys.stdin.readline().strip()
    print(json.dumps(client.fetch_token(callback, code_verifier or None)), flush=True)


if __name__ == "__main__":
    main()
