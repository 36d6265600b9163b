import requests
from authlib.integrations.requests_client import OAuth2Session

class ZSAuthClient:
    def __init__(self, client_id, client_secret, redirect_uri):
        self.client_id = client_id
        self.client_secret = client_secret
        self.redirect_uri = redirect_uri
        self.token_url = "https://auth.zarishsphere.com/oauth2/token"
        self.auth_url = "https://auth.zarishsphere.com/oauth2/authorize"

    def get_authorization_url(self, scope="patient/*.read"):
        oauth = OAuth2Session(
            self.client_id,
            redirect_uri=self.redirect_uri,
            scope=scope
        )
        authorization_url, state = oauth.authorization_url(
            self.auth_url,
            code_challenge_method="S256"
        )
        return authorization_url, state

    def fetch_token(self, authorization_response, code_verifier):
        oauth = OAuth2Session(
            self.client_id,
            redirect_uri=self.redirect_uri
        )
        return oauth.fetch_token(
            self.token_url,
            authorization_response=authorization_response,
            code_verifier=code_verifier,
            client_secret=self.client_secret
        )
