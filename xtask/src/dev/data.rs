//! The dev data: the test environment that the ZARISH SPHERE documentation names (`test_client_zs_his` and its scopes), with
//! a service, an EHR, a partner, a client for administration, an API key, four people and signing keys, loaded once into
//! `target/dev`.
//!
//! `environment.json` is written last and means that all of it is there; without it, whatever a broken-off run has
//! left is thrown away and everything is loaded anew. Secrets are made here or by the issuer, for this machine only,
//! and the files that hold them are readable by their owner only.

mod people;

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use self::people::{add_person, person_profile, random_seed};
use super::addresses::{EDGE, FHIR, ISSUER, ISSUER_PORT, UPSTREAM};
use crate::{
    fault::{Fault, OrFault as _, Outcome},
    session::Session,
};

/// The client that stands for an app: public, with PKCE.
pub(super) const APP: &str = "test_client_zs_his";
/// The client that stands for a backend service.
pub(super) const SERVICE: &str = "test_service_zs_his";
/// The client that stands for an EHR, which launches [`APP`].
pub(super) const EHR: &str = "test_ehr_zs_his";
/// The client of a partner whose people sign in at an identity provider of their own. In dev that is the issuer itself: its ID
/// tokens for [`APP`] can be exchanged as another provider's can.
const PARTNER: &str = "test_partner_zs_his";
/// The client that administrates by the API.
const ADMINISTRATION: &str = "test_admin_zs_his";
/// Where the guide sends an app's sign-in back to.
pub(super) const APP_REDIRECT: &str = "http://localhost:3000/callback";

/// The documents' own, this machine's, and Postman's.
const APP_REDIRECTS: [&str; 5] = [
    "https://app.com/callback",
    APP_REDIRECT,
    "http://127.0.0.1:3000/callback",
    "https://www.getpostman.com/oauth2/callback",
    "https://oauth.pstmn.io/v1/callback",
];
const APP_LAUNCH: &str = "http://localhost:3000/launch";
const APP_SCOPE: &str = "openid profile email address phone fhirUser launch launch/patient launch/encounter online_access offline_access patient/*.read \
                         observation.read observation/*.read patient/*.rs user/*.read";
const EHR_SCOPE: &str = "__launches";
/// With what it gives to the API keys that it makes: nobody gives more than they have.
const ADMINISTRATION_SCOPE: &str = "__administration.read __administration.write system/*.read system/*.write observation.read observation.write";
const PARTNER_SCOPE: &str =
    "openid profile email launch/patient patient/*.rs patient/*.read user/*.rs user/*.read";
const API_KEY_SCOPE: &str = "system/*.read system/*.rs observation.read";
const SERVICE_SCOPE: &str = "system/*.read system/*.write system/*.rs";
const EMAIL: &str = "amina@example.org";
/// A patient of the sample FHIR API, so that the person's own record is there to read.
const FHIR_USER: &str = "Patient/patient-11111";
const ROLE: &str = "Patient";
const PHYSICIAN_EMAIL: &str = "farid@example.org";
/// Of the sample FHIR API too: a physician has no record of their own, so they choose a patient.
const PHYSICIAN: &str = "practitioner-67890";
const PHYSICIAN_ROLE: &str = "Care Team User";
const ADMINISTRATOR_EMAIL: &str = "admin@example.org";
const ADMINISTRATOR_ROLE: &str = "Builder Admin";
/// Somebody whose account asks for a second factor.
const GUARDED_EMAIL: &str = "noor@example.org";
const OWNER_ONLY: u32 = 0o600;

/// What `environment.json` says, for the guide and the check.
#[derive(Debug)]
pub(super) struct DevData {
    /// The file itself.
    pub(super) file: PathBuf,
    /// The secret of [`SERVICE`].
    pub(super) service_secret: String,
    /// The secret of [`EHR`].
    pub(super) ehr_secret: String,
    /// The secret of [`ADMINISTRATION`].
    pub(super) administration_secret: String,
    /// An API key and its secret.
    pub(super) api_key: (String, String),
    /// The person's e-mail address.
    pub(super) email: String,
    /// The person's password.
    pub(super) password: String,
    /// The physician's e-mail address.
    pub(super) physician_email: String,
    /// The physician's password.
    pub(super) physician_password: String,
    /// The e-mail address of somebody with an authenticator app.
    pub(super) guarded_email: String,
    /// Their password.
    pub(super) guarded_password: String,
    /// What the app shares with the issuer, in Base32.
    pub(super) totp_secret: String,
    /// The administrator's e-mail address.
    pub(super) administrator_email: String,
    /// The administrator's password.
    pub(super) administrator_password: String,
}

/// Where the issuer shows the mail and short messages that it would have sent.
pub(super) fn outbox_url() -> String {
    format!("{ISSUER}/dev/outbox")
}

/// The issuer's configuration file.
pub(super) fn config_file(session: &Session<'_>) -> PathBuf {
    session.workspace.dev().join("wardgate.toml")
}

/// Loads the dev data unless it is there, in the form of this version of the tool.
pub(super) fn load(session: &Session<'_>, fresh: bool) -> Outcome<DevData> {
    let folder = session.workspace.dev();
    let file = folder.join("environment.json");
    fs::create_dir_all(&folder).or_fault(|| format!("create {}", folder.display()))?;
    let is_outdated = file.exists() && read(file.clone()).is_err();
    if is_outdated {
        session
            .screen
            .step("the dev data is of another version of this tool, which this one cannot use");
    }
    if fresh || is_outdated || !file.exists() {
        session.screen.step("loading the dev data into target/dev");
        remove_old(&folder, &file)?;
        write_config(session, &folder)?;
        let environment = create(session)?;
        let text = serde_json::to_string_pretty(&environment).or_fault(|| "write JSON".to_owned())?;
        write_for_owner(&file, &format!("{text}\n"))?;
    } else {
        write_config(session, &folder)?;
        session
            .screen
            .step("the dev data is there (target/dev; `--fresh` loads it anew)");
    }
    read(file)
}

/// Removes the database and the keys, and before them the file that vouches for them.
fn remove_old(folder: &Path, file: &Path) -> Outcome<()> {
    let others = ["wardgate.db", "wardgate.db-wal", "wardgate.db-shm", "master.key"];
    for path in std::iter::once(file.to_owned()).chain(others.map(|name| folder.join(name))) {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Fault::new(format!(
                    "could not remove {}: {error}",
                    path.display()
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_config(session: &Session<'_>, folder: &Path) -> Outcome<()> {
    let path = |name: &str| Value::String(folder.join(name).display().to_string());
    let (database, master_key) = (path("wardgate.db"), path("master.key"));
    // A JSON string of printable text is a TOML string too.
    let text = format!(
        "# Written by `cargo xtask dev` at every start: changes made here do not last.\n\
         [server]\nlisten = \"127.0.0.1:{ISSUER_PORT}\"\npublic_url = \"{ISSUER}\"\n\n\
         [database]\npath = {database}\n\n\
         [keys]\nmaster_key_file = {master_key}\nalgorithm = \"RS256\"\n\n\
         [[resources]]\nidentifier = \"{FHIR}\"\n\
         aliases = [\"api:zs_his\", \"https://api.zarishsphere.com/fhir\", \"https://api.sandbox.zusapi.com\"]\n\n\
         [[trusted_issuers]]\nissuer = \"{ISSUER}\"\naudiences = [\"{APP}\"]\n\
         jwks_uri = \"{ISSUER}/.well-known/jwks.json\"\nclient_id = \"{PARTNER}\"\n\n\
         [outbound]\nallow_loopback_http = true\n\n\
         [documentation]\ntry_it = true\n\n\
         [development]\noutbox = true\n"
    );
    write_for_owner(&config_file(session), &text)
}

/// Has the issuer make its database, keys, clients and people, and puts together what they are.
fn create(session: &Session<'_>) -> Outcome<Value> {
    issuer(session, &["init"], None)?;
    add_app(session)?;
    let service_secret = add_service(session, SERVICE, "Test service", SERVICE_SCOPE)?;
    let ehr_secret = add_service(session, EHR, "Test EHR", EHR_SCOPE)?;
    add_partner(session)?;
    let api_key = add_api_key(session)?;
    let administration_secret = add_service(
        session,
        ADMINISTRATION,
        "Test administration",
        ADMINISTRATION_SCOPE,
    )?;

    let profile = file_of(session, "profile.json", &person_profile())?;
    let of_patient = ["--fhir-user", FHIR_USER, "--role", ROLE, "--profile", &profile];
    let password = add_person(session, EMAIL, "Amina Rahman", &of_patient)?;
    let resource = format!("Practitioner/{PHYSICIAN}");
    let of_physician = [
        "--fhir-user",
        &resource,
        "--practitioner-id",
        PHYSICIAN,
        "--role",
        PHYSICIAN_ROLE,
    ];
    let physician_password = add_person(session, PHYSICIAN_EMAIL, "Farid Hossain", &of_physician)?;
    let of_administrator = ["--role", ADMINISTRATOR_ROLE];
    let administrator_password =
        add_person(session, ADMINISTRATOR_EMAIL, "Admin Example", &of_administrator)?;
    let guarded_password = add_person(session, GUARDED_EMAIL, "Noor Haque", &["--role", PHYSICIAN_ROLE])?;
    let totp_secret = random_seed()?;
    let add_app = ["user", "add-totp", "--email", GUARDED_EMAIL, "--secret-stdin"];
    issuer(session, &add_app, Some(&totp_secret))?;

    Ok(json!({
        "edge": EDGE,
        "fhir": FHIR,
        "issuer": ISSUER,
        "upstream": UPSTREAM,
        "outbox": outbox_url(),
        "clients": [
            { "client_id": APP, "redirect_uris": APP_REDIRECTS, "scope": APP_SCOPE },
            {
                "client_id": SERVICE, "client_secret": service_secret, "redirect_uris": [], "scope": SERVICE_SCOPE,
            },
            { "client_id": EHR, "client_secret": ehr_secret, "redirect_uris": [], "scope": EHR_SCOPE },
            { "client_id": PARTNER, "redirect_uris": [], "scope": PARTNER_SCOPE },
            {
                "client_id": ADMINISTRATION, "client_secret": administration_secret, "redirect_uris": [],
                "scope": ADMINISTRATION_SCOPE,
            },
        ],
        "users": [
            { "email": EMAIL, "password": password, "role": ROLE, "fhir_user": FHIR_USER },
            {
                "email": PHYSICIAN_EMAIL, "password": physician_password, "role": PHYSICIAN_ROLE,
                "fhir_user": resource,
            },
            { "email": ADMINISTRATOR_EMAIL, "password": administrator_password, "role": ADMINISTRATOR_ROLE },
            {
                "email": GUARDED_EMAIL, "password": guarded_password, "role": PHYSICIAN_ROLE,
                "totp_secret": totp_secret,
            },
        ],
        "api_keys": [api_key],
    }))
}

/// Registers [`APP`].
fn add_app(session: &Session<'_>) -> Outcome<()> {
    let metadata = file_of(session, "app.json", &json!({ "launch_uri": APP_LAUNCH }))?;
    let mut app = vec!["client", "add", "--client-id", APP, "--name", "Test app"];
    app.extend(["--type", "public", "--scope", APP_SCOPE, "--metadata", &metadata]);
    app.extend(["--grant", "authorization_code", "--grant", "refresh_token"]);
    app.extend(APP_REDIRECTS.iter().flat_map(|uri| ["--redirect-uri", uri]));
    issuer(session, &app, None).map(drop)
}

/// Registers [`PARTNER`].
fn add_partner(session: &Session<'_>) -> Outcome<()> {
    let exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    let mut partner = vec!["client", "add", "--client-id", PARTNER, "--name", "Test partner"];
    partner.extend(["--type", "public", "--grant", exchange, "--scope", PARTNER_SCOPE]);
    issuer(session, &partner, None).map(drop)
}

/// Makes an API key, and gives it as `environment.json` says it.
fn add_api_key(session: &Session<'_>) -> Outcome<Value> {
    let add = [
        "api-key",
        "add",
        "--name",
        "EHR Integration",
        "--scope",
        API_KEY_SCOPE,
        "--json",
    ];
    let made: Value = serde_json::from_str(&issuer(session, &add, None)?)
        .or_fault(|| "read what `wardgate api-key add --json` printed".to_owned())?;
    match (made.get("api_key"), made.get("api_secret"), made.get("scopes")) {
        (Some(key), Some(secret), Some(scopes)) => {
            Ok(json!({ "key": key, "secret": secret, "scopes": scopes }))
        }
        _ => Err(Fault::new(
            "`wardgate api-key add --json` printed no key with its secret",
        )),
    }
}

/// Registers a client that acts for itself, and gives its secret.
fn add_service(session: &Session<'_>, client_id: &str, name: &str, scope: &str) -> Outcome<String> {
    let mut service = vec!["client", "add", "--client-id", client_id, "--name", name];
    service.extend(["--type", "confidential", "--grant", "client_credentials"]);
    service.extend(["--scope", scope, "--json"]);
    let made: Value = serde_json::from_str(&issuer(session, &service, None)?)
        .or_fault(|| "read what `wardgate client add --json` printed".to_owned())?;
    let secret = made.get("client_secret").and_then(Value::as_str);
    secret
        .map(str::to_owned)
        .ok_or_else(|| Fault::new("`wardgate client add --json` printed no client_secret"))
}

/// Writes a JSON document into `target/dev`, and gives its path.
fn file_of(session: &Session<'_>, name: &str, document: &Value) -> Outcome<String> {
    let file = session.workspace.dev().join(name);
    write_for_owner(&file, &document.to_string())?;
    Ok(file.display().to_string())
}

/// Runs `wardgate --config … ARGUMENTS` with `input` on its standard input, and gives its standard output.
fn issuer(session: &Session<'_>, arguments: &[&str], input: Option<&str>) -> Outcome<String> {
    let shown: Vec<&str> = arguments
        .iter()
        .copied()
        .take_while(|word| !word.starts_with("--"))
        .collect();
    let what = || format!("run `wardgate {}`", shown.join(" "));
    let mut child = Command::new(session.workspace.program("wardgate"))
        .arg("--config")
        .arg(config_file(session))
        .args(arguments)
        .current_dir(&session.workspace.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .or_fault(what)?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        stdin.write_all(input.as_bytes()).or_fault(what)?;
    }
    let output = child.wait_with_output().or_fault(what)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Fault::new(format!(
        "`wardgate {}` failed ({}): {}",
        shown.join(" "),
        output.status,
        said.trim()
    )))
}

fn read(file: PathBuf) -> Outcome<DevData> {
    let text = fs::read(&file).or_fault(|| format!("read {}", file.display()))?;
    let environment: Value = serde_json::from_slice(&text).or_fault(|| format!("read {}", file.display()))?;
    let found = |list: &str, key: &str, name: &str, wanted: &str| {
        let entries = environment.get(list)?.as_array()?;
        let entry = entries
            .iter()
            .find(|entry| entry.get(key).and_then(Value::as_str) == Some(name))?;
        entry.get(wanted)?.as_str().map(str::to_owned)
    };
    let secret = found("clients", "client_id", SERVICE, "client_secret");
    let ehr_secret = found("clients", "client_id", EHR, "client_secret").zip(found(
        "clients",
        "client_id",
        ADMINISTRATION,
        "client_secret",
    ));
    let password = found("users", "email", EMAIL, "password");
    let physician_password = found("users", "email", PHYSICIAN_EMAIL, "password");
    let administrator = found("users", "email", ADMINISTRATOR_EMAIL, "password");
    let guarded = found("users", "email", GUARDED_EMAIL, "password").zip(found(
        "users",
        "email",
        GUARDED_EMAIL,
        "totp_secret",
    ));
    let of_api_key = |member: &str| {
        let found = environment.pointer(&format!("/api_keys/0/{member}"))?;
        found.as_str().map(str::to_owned)
    };
    let api_key = of_api_key("key").zip(of_api_key("secret"));
    match (
        secret,
        ehr_secret,
        password,
        physician_password,
        guarded,
        api_key,
        administrator,
    ) {
        (
            Some(service_secret),
            Some((ehr_secret, administration_secret)),
            Some(password),
            Some(physician_password),
            Some((guarded_password, totp_secret)),
            Some(api_key),
            Some(administrator_password),
        ) if environment.get("outbox").is_some() => Ok(DevData {
            file,
            service_secret,
            ehr_secret,
            administration_secret,
            api_key,
            email: EMAIL.to_owned(),
            password,
            physician_email: PHYSICIAN_EMAIL.to_owned(),
            physician_password,
            guarded_email: GUARDED_EMAIL.to_owned(),
            guarded_password,
            totp_secret,
            administrator_email: ADMINISTRATOR_EMAIL.to_owned(),
            administrator_password,
        }),
        _ => Err(Fault::new(format!(
            "{} is not what this version of the tool writes: run `cargo xtask dev --fresh`",
            file.display()
        ))),
    }
}

/// Writes the file anew, readable by its owner only, and in one piece: another reader sees all of it or none.
pub(super) fn write_for_owner(path: &Path, text: &str) -> Outcome<()> {
    let partial = path.with_extension("partial");
    let what = || format!("write {}", path.display());
    drop(fs::remove_file(&partial));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(&partial)
        .or_fault(what)?;
    file.write_all(text.as_bytes()).or_fault(what)?;
    file.sync_all().or_fault(what)?;
    fs::rename(&partial, path).or_fault(what)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{read, remove_old, write_for_owner};

    #[test]
    fn secrets_are_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("environment.json");
        write_for_owner(&file, "old").unwrap();
        write_for_owner(&file, "new").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[test]
    fn foreign_environment_file_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("environment.json");
        fs::write(&file, r#"{"clients": []}"#).unwrap();
        assert!(read(file).unwrap_err().to_string().contains("--fresh"));
    }

    #[test]
    fn removing_old_data_is_safe_to_repeat() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("environment.json");
        fs::write(folder.path().join("master.key"), "x").unwrap();
        remove_old(folder.path(), &file).unwrap();
        remove_old(folder.path(), &file).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
