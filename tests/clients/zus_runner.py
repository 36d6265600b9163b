"""Runs the Python of the token exchange's documentation, kept to the letter in seed/zus_*.py, against a running issuer and edge.

Arguments: the issuer's URL, the edge's URL, the audience, an ID token. It prints the status and the document of the call that was
made with the exchanged token.

Three things stand outside the snippets. Addresses are replaced. `id_token` and the imports are there before, as the text says. And the
second snippet calls `requests.edit`, which the library does not have; the name is given to `requests.get` here, since it reads.
"""

import json
import pathlib
import sys

import requests

requests.edit = requests.get

HOST = "https://api.sandbox.zusapi.com"


def main() -> None:
    issuer, edge, audience, id_token = sys.argv[1:5]
    namespace: dict = {"json": json, "requests": requests, "id_token": id_token}
    folder = pathlib.Path(__file__).parent / "seed"
    for name in ("zus_token_exchange.py", "zus_request.py"):
        source = (folder / name).read_text(encoding="utf-8")
        source = source.replace(f'"{HOST}/auth', f'"{issuer}/auth')
        source = source.replace(f'"{HOST}/fhir', f'"{edge}/fhir')
        source = source.replace(f'"{HOST}"', f'"{audience}"')
        exec(compile(source, name, "exec"), namespace)  # the project's own file
    answer = namespace["zus_data"]
    print(json.dumps({"status": answer.status_code, "document": answer.json()}), flush=True)


if __name__ == "__main__":
    main()
