//! The form in which an account is made or changed. Its fields are called as the API calls them.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::administration::AdministrationError;
use crate::administration::invitations::{self, Invited};
use crate::administration::users::{self as service, NewUser, UserChange};
use crate::domain::message::Channel;
use crate::domain::role::Role;
use crate::domain::user::{User, UserType};
use crate::error::page::PageError;
use crate::messages;
use crate::state::AppState;
use crate::views::console::{Choice, FormState, UserFormPage};

use super::{Administrator, Submission, done, faults, named, path_of, roles, show};

const NEW: &str = "/admin/new-user";
const INVITE: &str = "invite";
const FIELDS: [&str; 8] = [
    "email",
    "name",
    "userType",
    "roleId",
    "organizationId",
    "fhirUser",
    "practitionerId",
    INVITE,
];

async fn show_form(
    state: &AppState,
    administrator: &Administrator,
    form: &FormState,
    changed: Option<&User>,
) -> Result<Response, PageError> {
    // A list without the present state would preselect its first role: nobody is to become an administrator by a new name.
    let mut roles = roles(state, None).await?;
    if changed.is_some_and(|user| !is_listed(&roles, user.role.as_ref())) {
        roles.insert(0, Choice::new("", "none"));
    }
    let types = UserType::ALL.map(|kind| Choice::new(kind.as_str(), kind.as_str()));
    show(&UserFormPage {
        frame: administrator.frame(),
        form,
        action: administrator.path(),
        name: changed.map(|user| &*user.name),
        can_invite: can_invite(state),
        types: &types,
        roles: &roles,
    })
}

/// Shows the form for a new account.
pub(in crate::console) async fn new(
    State(state): State<AppState>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let form = administrator.form(&state, NEW);
    let form = if can_invite(&state) {
        form.with(INVITE, "yes")
    } else {
        form
    };
    let form = form
        .with("userType", UserType::Builder.as_str())
        .with("roleId", crate::domain::role::CARE_TEAM_USER);
    show_form(&state, &administrator, &form, None).await
}

/// Whether the present role is one of those to choose from.
fn is_listed(roles: &[Choice], present: Option<&Role>) -> bool {
    roles
        .iter()
        .any(|choice| present.is_some_and(|role| role.id == choice.value))
}

/// The value of a field, or nothing.
fn given(submission: &Submission, name: &str) -> Result<Option<String>, PageError> {
    let value = submission.field(name)?;
    Ok((!value.is_empty()).then(|| value.into()))
}

/// Makes an account.
pub(in crate::console) async fn create(
    State(state): State<AppState>,
    submission: Submission,
) -> Result<Response, PageError> {
    let new = NewUser {
        email: given(&submission, "email")?,
        name: given(&submission, "name")?,
        user_type: given(&submission, "userType")?,
        role_id: given(&submission, "roleId")?,
        organization_id: given(&submission, "organizationId")?,
        fhir_user: given(&submission, "fhirUser")?,
        practitioner_id: given(&submission, "practitionerId")?,
        ..NewUser::default()
    };
    let wanted = submission.values(INVITE).any(|value| value == "yes");
    let outcome = make(&state, &submission, new, wanted).await;
    match submission.recorded(&state, outcome).await? {
        Ok((user, Invited::No)) => done(&path_of(&user.id), "created"),
        Ok((user, Invited::Queued)) => done(&path_of(&user.id), "invited"),
        Ok((user, Invited::Failed)) => done(&path_of(&user.id), "created-uninvited"),
        Err(error) => {
            let form = submission.again(&state, &FIELDS, faults::of(error)?);
            show_form(&state, &submission.administrator, &form, None).await
        }
    }
}

async fn make(
    state: &AppState,
    submission: &Submission,
    new: NewUser,
    wanted: bool,
) -> Result<(User, Invited), AdministrationError> {
    let invitation = invitations::of_wish(state, Some(wanted), new.email.as_deref()).await?;
    let invitation = invitation.map_err(|fault| AdministrationError::Invalid(vec![fault]))?;
    invitations::create(state, &submission.administrator.actor, new, invitation).await
}

fn can_invite(state: &AppState) -> bool {
    messages::are_sent(state.config(), Channel::Mail)
}

/// The form with what an account has.
fn filled(form: FormState, user: &User) -> FormState {
    let texts = [
        ("email", Some(&*user.email)),
        ("name", Some(&*user.name)),
        ("userType", Some(user.user_type.as_str())),
        ("roleId", user.role.as_ref().map(|role| &*role.id)),
        ("organizationId", user.organization_id.as_deref()),
        ("fhirUser", user.fhir_user.as_deref()),
        ("practitionerId", user.practitioner_id.as_deref()),
    ];
    texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .fold(form, |form, (name, text)| form.with(name, text))
}

/// Shows the form with what an account has.
pub(in crate::console) async fn edit(
    State(state): State<AppState>,
    administrator: Administrator,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, PageError> {
    let administrator = administrator.writing()?;
    let user = named(&state, id).await?;
    let form = filled(administrator.form(&state, administrator.path()), &user);
    show_form(&state, &administrator, &form, Some(&user)).await
}

/// Changes an account.
pub(in crate::console) async fn change(
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    submission: Submission,
) -> Result<Response, PageError> {
    let user = named(&state, id).await?;
    let role_id = given(&submission, "roleId")?;
    let own_role = user.role.as_ref().map(|role| role.id.clone());
    let change = UserChange {
        email: Some(submission.field("email")?.into()),
        name: Some(submission.field("name")?.into()),
        user_type: given(&submission, "userType")?,
        // Who may not give a role may still change the rest of somebody who has it.
        role_id: role_id.filter(|role_id| own_role.as_ref() != Some(role_id)),
        organization_id: Some(given(&submission, "organizationId")?),
        fhir_user: Some(given(&submission, "fhirUser")?),
        practitioner_id: Some(given(&submission, "practitionerId")?),
    };
    let actor = &submission.administrator.actor;
    let outcome = service::change(state.store(), actor, &user.id, &change, state.now()).await;
    match submission.recorded(&state, outcome).await? {
        Ok(_) => done(&path_of(&user.id), "changed"),
        Err(error) => {
            let form = submission.again(&state, &FIELDS, faults::of(error)?);
            show_form(&state, &submission.administrator, &form, Some(&user)).await
        }
    }
}
