//! The resources and all their versions, in memory.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, etag};

/// One state of a resource; `None` is a deletion.
type Version = Option<Value>;

/// All resources, by type and id.
#[derive(Debug, Default)]
pub(crate) struct Store {
    resources: BTreeMap<(String, String), Vec<Version>>,
    made: u64,
}

impl Store {
    /// A store that holds these resources as their first versions.
    pub(crate) fn with(resources: impl IntoIterator<Item = Value>) -> Self {
        let mut store = Self::default();
        for resource in resources {
            let member = |name: &str| {
                resource
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let (kind, id) = (member("resourceType"), member("id"));
            store.append(&kind, &id, Some(resource));
        }
        store
    }

    /// The present state of every resource of a type, in the order of ids.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.resources
            .iter()
            .filter(move |((present, _), _)| present == kind)
            .filter_map(|(_, versions)| versions.last().and_then(Option::as_ref))
    }

    /// The present state. Refused: 404 where it has never been, 410 where it has been deleted.
    pub(crate) fn read(&self, kind: &str, id: &str) -> Result<&Value, Refusal> {
        match self.history(kind, id)?.last().and_then(Option::as_ref) {
            Some(resource) => Ok(resource),
            None => Err(Refusal::new(
                StatusCode::GONE,
                "deleted",
                format!("{kind}/{id} has been deleted"),
            )),
        }
    }

    /// The state at a version, counted from 1.
    pub(crate) fn version(&self, kind: &str, id: &str, version: &str) -> Result<&Value, Refusal> {
        let number: Option<usize> = version.parse().ok();
        let state = number.and_then(|number| self.history(kind, id).ok()?.get(number.checked_sub(1)?));
        match state {
            Some(Some(resource)) => Ok(resource),
            Some(None) => Err(Refusal::new(
                StatusCode::GONE,
                "deleted",
                "this version is the deletion",
            )),
            None => Err(not_found(&format!("{kind}/{id}/_history/{version}"))),
        }
    }

    /// All versions, the oldest first.
    pub(crate) fn history(&self, kind: &str, id: &str) -> Result<&[Version], Refusal> {
        let versions = self.resources.get(&(kind.to_owned(), id.to_owned()));
        versions
            .map(Vec::as_slice)
            .ok_or_else(|| not_found(&format!("{kind}/{id}")))
    }

    /// Stores a new resource under an id of this store's choice.
    pub(crate) fn create(&mut self, kind: &str, resource: Value) -> Value {
        loop {
            self.made += 1;
            let id = format!("new-{}", self.made);
            if self.history(kind, &id).is_err() {
                return self.append(kind, &id, Some(resource));
            }
        }
    }

    /// Stores the next version, or the first one under the client's id; true where it is the first. `expected` is
    /// an `If-Match`, refused with 412 when it is not the present version's ETag.
    pub(crate) fn update(
        &mut self,
        kind: &str,
        id: &str,
        resource: Value,
        expected: Option<&str>,
    ) -> Result<(Value, bool), Refusal> {
        let versions = self.history(kind, id).map_or(0, <[Version]>::len);
        if expected.is_some_and(|expected| expected != etag(&versions.to_string())) {
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "conflict",
                "If-Match is another version",
            ));
        }
        Ok((self.append(kind, id, Some(resource)), versions == 0))
    }

    /// Notes the deletion; nothing happens where there is nothing to delete.
    pub(crate) fn delete(&mut self, kind: &str, id: &str) {
        if self.read(kind, id).is_ok() {
            self.append(kind, id, None);
        }
    }

    /// Adds a version with its id and number set, and gives it as stored.
    fn append(&mut self, kind: &str, id: &str, resource: Option<Value>) -> Value {
        let versions = self
            .resources
            .entry((kind.to_owned(), id.to_owned()))
            .or_default();
        let number = versions.len() + 1;
        let stored = resource.map(|mut resource| {
            if let Some(members) = resource.as_object_mut() {
                members.insert("id".to_owned(), json!(id));
                let meta = members.entry("meta").or_insert_with(|| Value::Object(Map::new()));
                if !meta.is_object() {
                    *meta = json!({});
                }
                meta["versionId"] = json!(number.to_string());
            }
            resource
        });
        versions.push(stored.clone());
        stored.unwrap_or_default()
    }
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not-found", format!("there is no {what}"))
}
