"""An integration that cannot speak OAuth: it sends an API key with each call. Python's own library is enough.

    python api_key.py

It takes from the environment: FHIR, API_KEY, API_SECRET. docs/api-keys.md says how a key is made and replaced.
"""

import json
import os
import sys
import urllib.error
import urllib.request


def get(url, key, secret):
    headers = {"X-API-Key": key, "X-API-Secret": secret, "Accept": "application/fhir+json"}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main():
    environment = os.environ
    try:
        bundle = get(f"{environment['FHIR']}/Patient", environment["API_KEY"], environment["API_SECRET"])
    except urllib.error.HTTPError as refusal:
        # The challenge says what is wrong; the secret is not repeated, and should not be logged here either.
        sys.exit(f"{refusal.code} {refusal.headers.get('WWW-Authenticate', '')}")
    for entry in bundle.get("entry", []):
        print(entry["resource"]["resourceType"], entry["resource"]["id"])


if __name__ == "__main__":
    main()
