//! What a person sees when everything runs: what to try, copy and read.

use std::path::Path;

use super::{
    addresses::{EDGE, FHIR, ISSUER, UPSTREAM},
    data::{APP, APP_REDIRECT, DevData, EHR, SERVICE, outbox_url},
};

/// The verifier and challenge of RFC 7636, appendix B: known to everybody, so for trying things out only.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A line for a shell that gets a token for the service and prints it.
pub(super) fn token_command(secret: &str) -> String {
    token_of(SERVICE, secret, "system/*.read")
}

/// A line for a shell that gets a token for a client that acts for itself and prints it.
fn token_of(client_id: &str, secret: &str, scope: &str) -> String {
    format!(
        "curl -sS -u '{client_id}:{secret}' -d grant_type=client_credentials -d 'scope={scope}' \
         {ISSUER}/oauth2/token | sed -n 's/.*\"access_token\": *\"\\([^\"]*\\)\".*/\\1/p'"
    )
}

/// A line for a shell that has the EHR launch the app for a patient, and prints where the browser is to go.
pub(super) fn launch_command(secret: &str) -> String {
    format!(
        "TOKEN=$({}) && curl -sS -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
         -d '{{\"client_id\": \"{APP}\", \"patient\": \"patient-22222\"}}' {ISSUER}/v1/launches",
        token_of(EHR, secret, "__launches")
    )
}

/// A line for a shell that gets a token and calls the API with it, through the edge.
pub(super) fn call_command(secret: &str) -> String {
    format!(
        "TOKEN=$({}) && curl -sS -i -H \"Authorization: Bearer $TOKEN\" {FHIR}/Patient",
        token_command(secret)
    )
}

/// A line for a shell that calls the API with an API key, through the edge.
pub(super) fn api_key_command((key, secret): &(String, String)) -> String {
    format!("curl -sS -i -H 'X-API-Key: {key}' -H 'X-API-Secret: {secret}' {FHIR}/Patient")
}

/// The address where a person signs in for the test app.
fn sign_in_url() -> String {
    let query = [
        ("response_type", "code"),
        ("client_id", APP),
        ("redirect_uri", APP_REDIRECT),
        (
            "scope",
            "openid fhirUser launch/patient patient/*.read offline_access",
        ),
        ("state", "try-it-out"),
        ("aud", FHIR),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    format!("{ISSUER}/oauth2/authorize?{}", query.join("&"))
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The whole guide.
pub(super) fn text(dev: &DevData, logs: &Path) -> String {
    let DevData {
        file,
        service_secret,
        ehr_secret,
        api_key,
        administration_secret: _,
        email,
        password,
        physician_email,
        physician_password,
        guarded_email,
        guarded_password,
        totp_secret,
        administrator_email,
        administrator_password,
    } = dev;
    format!(
        "
Everything runs:
  edge       {EDGE}   (FHIR base {FHIR})
  issuer     {ISSUER}
  sample API {UPSTREAM}   (what the edge guards)
  outbox     {outbox}   (mail and short messages that the issuer would have sent)
  reference  {ISSUER}/docs   (what can be called, and trying it; for Postman: docs/postman, with target/dev/postman_environment.json)

The test environment: client {APP}, of whose scopes the documentation names patient/*.read and observation.read;
  authorize at {ISSUER}/oauth2/authorize, tokens at {ISSUER}/oauth2/token

Try 1. A service: get a token and read patients through the edge.

  {call}

  Without a token the edge refuses:  curl -i {FHIR}/Patient

Try 2. A person: sign in as {email} with the password {password}

  {sign_in}

  The browser ends at {APP_REDIRECT}?code=…, where nothing listens. Exchange that code within a minute:

  curl -sS -d grant_type=authorization_code -d client_id={APP} -d redirect_uri={APP_REDIRECT} \\
    -d code_verifier={VERIFIER} -d code=PASTE_THE_CODE {ISSUER}/oauth2/token

Try 3. A physician: the same address, signed in as {physician_email} with the password {physician_password}
  They have no record of their own, so they choose a patient: look for Karim.
  (A private window keeps the two people apart.)

Try 4. An EHR: launch the app for a patient. The answer's launch_url is where an EHR sends the browser.

  {launch}

Try 5. A second factor: the same address as in 2, signed in as {guarded_email} with the password {guarded_password}
  Their authenticator app has the secret {totp_secret}
  (Type it into an app, or: oathtool --totp -b {totp_secret}. A message to a telephone is in the outbox.)

Try 6. An API key instead of a token:

  {by_key}

Try 7. An administrator: sign in on {ISSUER}/docs as {administrator_email} with the password {administrator_password}, and list users.

Every address and secret:  {file}
Logs:                      {logs}/*.log
Ctrl-C stops everything.
",
        call = call_command(service_secret),
        by_key = api_key_command(api_key),
        sign_in = sign_in_url(),
        launch = launch_command(ehr_secret),
        outbox = outbox_url(),
        file = file.display(),
        logs = logs.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::{encode, sign_in_url};

    #[test]
    fn queries_are_encoded() {
        assert_eq!(encode("patient/*.read a~b"), "patient%2F%2A.read%20a~b");
        assert!(sign_in_url().contains("redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcallback&"));
    }
}
