#!/bin/sh
# A service in a shell: gets a token for itself, calls the FHIR API through the edge, and gives the token back.
#
#   ISSUER=… FHIR=… CLIENT_ID=… CLIENT_SECRET=… sh examples/curl/service.sh
#
# Secrets reach curl on its standard input (`--config -`): an argument can be read by everybody who may list processes.
set -eu

credentials() {
  printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET"
}

bearer() {
  printf 'header = "Authorization: Bearer %s"\n' "$TOKEN"
}

# 1. A token, for as much as the job at hand needs.
ANSWER=$(credentials | curl -sS --fail-with-body --config - "$ISSUER/oauth2/token" \
  -d grant_type=client_credentials --data-urlencode 'scope=system/Patient.rs') || {
  echo "refused: $ANSWER" >&2
  exit 1
}
TOKEN=$(printf %s "$ANSWER" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')

# 2. Calls, as many as there are until it expires.
echo "patients:     $(bearer | curl -sS -o /dev/null -w '%{http_code}' --config - "$FHIR/Patient")"
echo "observations: $(bearer | curl -sS -o /dev/null -w '%{http_code}' --config - "$FHIR/Observation")"

# 3. Back it goes. The issuer knows at once; the edge refuses it at the latest half a minute later.
about_token() {
  { credentials; printf 'data = "token=%s"\n' "$TOKEN"; } | curl -sS --fail-with-body --config - "$1"
}
echo "introspected: $(about_token "$ISSUER/oauth2/introspect" | grep -o '"active": *[a-z]*')"
about_token "$ISSUER/oauth2/revoke"
echo "introspected: $(about_token "$ISSUER/oauth2/introspect" | grep -o '"active": *[a-z]*')"
