//! The rules of an API that is not FHIR: which paths are open, and what a token needs for the others.
//!
//! Paths are compared segment by segment below the API's prefix, and the longest one that covers a request decides, so
//! that the order of rules means nothing. What no rule covers is not served. Rules that can never apply, and open paths
//! that take something from a rule, are faults.

use serde_json::Value;
use wardgate_shared::scope::ScopeSet;

use super::members::Members;
use super::url;
use super::values::Faults;

/// The methods that a rule can name. `HEAD` goes with `GET`.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The rules of one API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Paths that `GET` needs no token for, with everything below them.
    pub open: Vec<String>,
    /// What needs a token.
    pub require: Vec<Rule>,
}

/// What requests of some methods to one path, and to all below it, need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where it stands, as `require[0]`.
    pub name: String,
    /// The methods, of [`METHODS`].
    pub methods: Vec<&'static str>,
    /// The path below the API's prefix, without a slash at the end; empty for the whole API.
    pub path: String,
    /// Scopes that a token must have, all of them.
    pub scopes: Vec<String>,
    /// What its claims must say, all of it.
    pub claims: Vec<ClaimRule>,
}

/// What one claim must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim's name; or, when it begins with a slash, the names on the way to a value inside a claim, each after a
    /// slash.
    pub claim: String,
    /// A text, a number or a boolean that it must equal, or be a list of which one item is this.
    pub value: Value,
}

/// What the rules say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling<'a> {
    /// It needs no token.
    Open,
    /// It needs what this rule says.
    Guarded(&'a Rule),
    /// Nothing is said of its path.
    Unknown,
    /// Something is said of its path, but for these methods only.
    OtherMethods(Vec<&'static str>),
}

impl Rules {
    /// What they say of `method` at `below`, the path after the API's prefix.
    pub fn find(&self, method: &str, below: &str) -> Ruling<'_> {
        let method = if method == "HEAD" { "GET" } else { method };
        if method == "GET" && self.open.iter().any(|open| covers(open, below)) {
            return Ruling::Open;
        }
        // A server that does not tell upper from lower case must not be led to what another rule guards, so case is
        // passed over in the search, and what differs from the rule it finds is nothing known.
        let found = self
            .require
            .iter()
            .filter(|rule| covers_in_any_case(&rule.path, below));
        let Some(length) = found.clone().map(|rule| rule.path.len()).max() else {
            return Ruling::Unknown;
        };
        let longest = found.filter(|rule| rule.path.len() == length);
        if longest.clone().any(|rule| !covers(&rule.path, below)) {
            return Ruling::Unknown;
        }
        match longest.clone().find(|rule| rule.methods.contains(&method)) {
            Some(rule) => Ruling::Guarded(rule),
            None => Ruling::OtherMethods(longest.flat_map(|rule| rule.methods.iter().copied()).collect()),
        }
    }

    /// Reads the members `require` and `open`.
    pub(super) fn read(members: &mut Members, faults: &mut Faults) -> Self {
        let open_place = members.place("open");
        let mut rules = Self::default();
        for rule in members.objects("require", faults) {
            rules.add(rule, faults);
        }
        if rules.require.is_empty() {
            members.fault("require", "must have a rule", faults);
        }
        for (index, open) in members
            .words("open", faults)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let place = format!("{open_place}[{index}]");
            let open = path(open, &place, faults);
            if open.is_empty() {
                faults.add(&place, "must not open the whole API");
            }
            let hidden = rules.require.iter().find(|rule| covers(&open, &rule.path));
            if let Some(hidden) = hidden {
                faults.add(&place, &format!("opens what {} guards", hidden.name));
            }
            if rules
                .open
                .iter()
                .any(|other| covers(other, &open) || covers(&open, other))
            {
                faults.add(&place, "opens what another one opens");
            }
            rules.open.push(open);
        }
        rules
    }

    fn add(&mut self, members: Members, faults: &mut Faults) {
        let place = members.place("path");
        let name = format!("require[{}]", self.require.len());
        let rule = Rule::read(name, members, faults);
        for other in &self.require {
            let is_same = other.path.eq_ignore_ascii_case(&rule.path);
            if is_same
                && (other.path != rule.path
                    || other.methods.iter().any(|method| rule.methods.contains(method)))
            {
                faults.add(&place, &format!("is never reached: {} has it", other.name));
            }
        }
        self.require.push(rule);
    }
}

impl Rule {
    fn read(name: String, mut members: Members, faults: &mut Faults) -> Self {
        let given = members.text("path", faults);
        let path = path(&given, &members.place("path"), faults);
        let methods = members.words("methods", faults).map(|words| {
            let known = |word: &String| METHODS.into_iter().find(|method| method == word);
            let methods: Vec<_> = words.iter().filter_map(known).collect();
            if methods.len() != words.len() || methods.is_empty() {
                let problem = format!("must be some of {}", METHODS.join(", "));
                members.fault("methods", &problem, faults);
            }
            methods
        });
        // A rule that asks for nothing but a good token says so, rather than forgetting to ask for more.
        if !members.has("scopes") && !members.has("claims") {
            members.fault("scopes", "is not set, and neither are claims", faults);
        }
        let scopes = members.words("scopes", faults).unwrap_or_default();
        if !scopes.is_empty() && ScopeSet::parse(&scopes.join(" ")).map_or(0, |set| set.len()) != scopes.len()
        {
            members.fault("scopes", "must be different scopes of RFC 6749", faults);
        }
        let claims = claim_rules(&mut members, faults);
        members.refuse_the_rest(faults);
        Self {
            name,
            methods: methods.unwrap_or_else(|| METHODS.to_vec()),
            path,
            scopes,
            claims,
        }
    }
}

fn claim_rules(members: &mut Members, faults: &mut Faults) -> Vec<ClaimRule> {
    let claims = match members.take("claims") {
        None => return Vec::new(),
        Some(Value::Object(claims)) => claims,
        Some(_) => {
            members.fault("claims", "must be an object", faults);
            return Vec::new();
        }
    };
    if claims.is_empty()
        || claims
            .values()
            .any(|value| value.is_object() || value.is_array() || value.is_null())
    {
        members.fault(
            "claims",
            "must name claims, each with a text, a number or a boolean",
            faults,
        );
    }
    let rules = claims
        .into_iter()
        .map(|(claim, value)| ClaimRule { claim, value });
    rules.collect()
}

/// A path as the operator writes it, without its slash at the end.
fn path(text: &str, place: &str, faults: &mut Faults) -> String {
    if !text.starts_with('/') || url::check_path(text).is_err() {
        faults.add(
            place,
            "must be a path that begins with '/', without '.', '..' and characters that need encoding",
        );
    }
    text.strip_suffix('/').unwrap_or(text).to_owned()
}

/// Whether `below` is `path` or lies below it.
fn covers(path: &str, below: &str) -> bool {
    below
        .strip_prefix(path)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The same without regard to the case of ASCII letters.
fn covers_in_any_case(path: &str, below: &str) -> bool {
    below.split_at_checked(path.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(path) && (rest.is_empty() || rest.starts_with('/'))
    })
}
