#!/bin/sh
# An API key instead of a token.
#
#   FHIR=… API_KEY=… API_SECRET=… sh examples/curl/api-key.sh
#
# The secret reaches curl on its standard input (`--config -`): an argument can be read by everybody who may list processes.
set -eu

printf 'header = "X-API-Key: %s"\nheader = "X-API-Secret: %s"\n' "$API_KEY" "$API_SECRET" |
  curl -sS --fail-with-body --config - -H 'Accept: application/fhir+json' "$FHIR/Patient"
