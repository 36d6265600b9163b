//! The form in which a connection is made or changed. Its fields are called as the API calls them; a rule for roles is a line
//! as the command line has it. The client secret is typed and never shown, not even in a form that comes back.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use wardgate_shared::secret::Secret;

use crate::administration::sso_connections::{self as service, ConnectionRequest, Tools};
use crate::console::users;
use crate::domain::single_sign_on::{
    Connection, ConnectionSettings, Preset, RoleRule, USUAL_SCOPES, UnknownPeople,
};
use crate::error::page::PageError;
use crate::single_sign_on::CALLBACK_PATH;
use crate::state::AppState;
use crate::views::console::{Choice, ConnectionFormPage, FieldFault, FormState};

use super::{Administrator, Submission, done, fault, named, path_of, show};

const NEW: &str = "/admin/new-connection";
const NO_RULE: &str = "Write a rule as groups=nurses:Care Team User. This is none:";
const NO_ROLE: &str = "There is no role of this name:";
const TWO_ISSUERS: &str =
    "Name the issuer, or the tenant, or the region and the user pool: one of them says it.";
const HALF_A_POOL: &str = "The region and the user pool go together.";

/// The fields that a form shows again: all but the client secret.
const FIELDS: [&str; 15] = [
    "name",
    "preset",
    "issuer",
    "tenantId",
    "region",
    "userPoolId",
    "clientId",
    "clientAuthentication",
    "scopes",
    "requiredAmr",
    "requiredAcr",
    "unknownPeople",
    "defaultRoleId",
    "roleRules",
    "grantsAdministration",
];

fn presets() -> [Choice; 4] {
    Preset::ALL.map(|preset| {
        let words = match preset {
            Preset::Generic => "Any OpenID Provider",
            Preset::Google => "Google Workspace",
            Preset::EntraId => "Microsoft Entra ID",
            Preset::Cognito => "AWS Cognito",
        };
        Choice::new(preset.as_str(), words)
    })
}

fn methods() -> [Choice; 4] {
    [
        Choice::new("", "By the secret, where there is one"),
        Choice::new(
            "client_secret_basic",
            "By the secret in the header (client_secret_basic)",
        ),
        Choice::new(
            "client_secret_post",
            "By the secret in the form (client_secret_post)",
        ),
        Choice::new("none", "Not at all (none)"),
    ]
}

fn policies() -> [Choice; 2] {
    [
        Choice::new(UnknownPeople::Refuse.as_str(), "They are turned away"),
        Choice::new(UnknownPeople::Create.as_str(), "They get an account"),
    ]
}

/// The roles there are, by id and name.
pub(super) async fn roles(state: &AppState) -> Result<Vec<Choice>, PageError> {
    users::roles(state, None).await
}

/// What the role of this id is called, or its id where that would not be read back from a line.
pub(super) fn name_of<'a>(id: &'a str, roles: &'a [Choice]) -> &'a str {
    let role = roles.iter().find(|role| role.value == id);
    role.map_or(id, |role| &role.words)
}

/// A rule as people write it.
pub(super) fn line(rule: &RoleRule, roles: &[Choice]) -> String {
    let name = Some(name_of(&rule.role, roles)).filter(|name| !name.contains(':'));
    format!("{}={}:{}", rule.claim, rule.value, name.unwrap_or(&rule.role))
}

fn lines(settings: &ConnectionSettings, roles: &[Choice]) -> String {
    let lines: Vec<String> = settings.role_rules.iter().map(|rule| line(rule, roles)).collect();
    lines.join("\n")
}

async fn show_form(
    state: &AppState,
    administrator: &Administrator,
    form: &FormState,
    changed: Option<&Connection>,
) -> Result<Response, PageError> {
    show(&ConnectionFormPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        name: changed.map(|connection| &*connection.settings.name),
        redirect_uri: &state.config().server.public_url.join(CALLBACK_PATH),
        presets: &presets(),
        methods: &methods(),
        policies: &policies(),
        roles: &users::roles(state, Some("none")).await?,
    })
}

/// Shows the form for a new connection.
pub(in crate::console) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let form = administrator
        .form(&state, NEW)
        .with("scopes", USUAL_SCOPES.join(" "));
    show_form(&state, &administrator, &form, None).await
}

/// Makes a connection, disabled.
pub(in crate::console) async fn create(
    State(state): State<AppState>,
    submission: Submission,
) -> Result<Response, PageError> {
    let actor = &submission.administrator.actor;
    let made = match request(&state, &submission, None).await? {
        Ok(request) => {
            let outcome = service::create(Tools::of(&state), actor, &request, state.now()).await;
            submission.recorded(&state, outcome).await?.map_err(fault)
        }
        Err(wrong) => {
            submission.record_fault(&state).await?;
            Err(Ok(wrong))
        }
    };
    match made {
        Ok(connection) => done(&path_of(&connection.id), "connected"),
        Err(fault) => {
            let form = submission.again(&state, &FIELDS, vec![fault?]);
            show_form(&state, &submission.administrator, &form, None).await
        }
    }
}

/// Shows the form with what a connection has.
pub(in crate::console) async fn edit(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let (connection, _) = named(&state, id).await?;
    let settings = &connection.settings;
    let mut form = administrator
        .form(&state, administrator.path())
        .with("name", &*settings.name)
        .with("preset", settings.preset.as_str())
        .with("issuer", &*settings.issuer)
        .with("clientId", &*settings.client_id)
        .with("clientAuthentication", settings.credential.method())
        .with("scopes", settings.scopes.join(" "))
        .with("requiredAmr", settings.required_amr.join(" "))
        .with("requiredAcr", settings.required_acr.join(" "))
        .with("unknownPeople", settings.unknown_people.as_str())
        .with("defaultRoleId", settings.default_role.clone().unwrap_or_default())
        .with("roleRules", lines(settings, &roles(&state).await?));
    if settings.grants_administration {
        form = form.with("grantsAdministration", "yes");
    }
    show_form(&state, &administrator, &form, Some(&connection)).await
}

/// Changes a connection: its provider is asked anew.
pub(in crate::console) async fn change(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let (connection, _) = named(&state, id).await?;
    let actor = &submission.administrator.actor;
    let before = Some(&connection.settings);
    let changed = match request(&state, &submission, before).await? {
        Ok(request) => {
            let (tools, id) = (Tools::of(&state), &connection.id);
            let outcome = service::change(tools, actor, id, &request, state.now()).await;
            submission.recorded(&state, outcome).await?.map_err(fault)
        }
        Err(wrong) => {
            submission.record_fault(&state).await?;
            Err(Ok(wrong))
        }
    };
    match changed {
        Ok(_) => done(&path_of(&connection.id), "changed"),
        Err(fault) => {
            let form = submission.again(&state, &FIELDS, vec![fault?]);
            show_form(&state, &submission.administrator, &form, Some(&connection)).await
        }
    }
}

/// What the form says; or what is wrong with the form itself.
async fn request(
    state: &AppState,
    submission: &Submission,
    before: Option<&ConnectionSettings>,
) -> Result<Result<ConnectionRequest, FieldFault>, PageError> {
    let given = |name| -> Result<Option<String>, PageError> {
        let value = submission.field(name)?;
        Ok((!value.is_empty()).then(|| value.into()))
    };
    let words = |name| -> Result<Option<Vec<String>>, PageError> {
        let value = submission.field(name)?;
        Ok(Some(value.split_whitespace().map(String::from).collect()))
    };
    let wrong = |field: &str, text: &str| {
        Ok(Err(FieldFault {
            field: field.into(),
            text: text.into(),
        }))
    };
    let (tenant, region, pool) = (given("tenantId")?, given("region")?, given("userPoolId")?);
    if region.is_some() != pool.is_some() {
        return wrong("userPoolId", HALF_A_POOL);
    }
    // The issuer of before stands in the form, and another way to say it takes its place.
    let issuer = given("issuer")?;
    let is_new = issuer.is_some() && issuer.as_ref() != before.map(|before| &before.issuer);
    let said = [is_new, tenant.is_some(), pool.is_some()];
    if said.into_iter().filter(|is_said| *is_said).count() > 1 {
        return wrong("issuer", TWO_ISSUERS);
    }
    let role_rules = match rules(submission.field("roleRules")?, before, &roles(state).await?) {
        Ok(rules) => rules,
        Err(text) => return wrong("roleRules", &text),
    };
    Ok(Ok(ConnectionRequest {
        name: Some(submission.field("name")?.into()),
        preset: given("preset")?,
        issuer,
        tenant_id: tenant,
        user_pool: region.zip(pool),
        client_id: Some(submission.field("clientId")?.into()),
        client_secret: given("clientSecret")?.map(Secret::new),
        client_authentication: given("clientAuthentication")?,
        scopes: words("scopes")?,
        required_amr: words("requiredAmr")?,
        required_acr: words("requiredAcr")?,
        unknown_people: given("unknownPeople")?,
        default_role: Some(given("defaultRoleId")?),
        role_rules,
        grants_administration: Some(
            submission
                .values("grantsAdministration")
                .any(|value| value == "yes"),
        ),
    }))
}

/// The rules that `text` writes, a line each; none when it is as the form showed those of before.
fn rules(
    text: &str,
    before: Option<&ConnectionSettings>,
    roles: &[Choice],
) -> Result<Option<Vec<RoleRule>>, String> {
    let written: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let shown = before.map(|before| lines(before, roles)).unwrap_or_default();
    if shown.lines().map(str::trim).eq(written.iter().copied()) {
        return Ok(None);
    }
    let rule = |line: &&str| {
        let rule = RoleRule::parse(line).ok_or_else(|| format!("{NO_RULE} {line}"))?;
        let named = roles
            .iter()
            .find(|role| role.words == rule.role || role.value == rule.role)
            .ok_or_else(|| format!("{NO_ROLE} {}", rule.role))?;
        Ok(RoleRule {
            role: named.value.clone(),
            ..rule
        })
    };
    written.iter().map(rule).collect::<Result<_, String>>().map(Some)
}
