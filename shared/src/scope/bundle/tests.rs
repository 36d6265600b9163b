//! What is read out of a Bundle, and what is not taken for one.

use alloc::string::String;
use std::format;

use proptest::prelude::*;

use super::{BundleError, EntryError, EntryRequest, MAXIMUM_ENTRIES, entries};
use crate::scope::interaction::Interaction;
use crate::scope::path::PathError;
use crate::scope::query::QueryError;
use crate::scope::request::RequestError;
use crate::scope::resource_type::ResourceType;

fn bundle(entry: &str) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{entry}]}}"#)
}

fn only(entry: &str) -> Result<EntryRequest, EntryError> {
    let mut read = entries(bundle(entry).as_bytes()).unwrap();
    assert_eq!(read.len(), 1);
    read.remove(0)
}

fn fault(entry: &str) -> EntryError {
    match only(entry) {
        Err(error) => error,
        Ok(entry) => entry.request().unwrap_err(),
    }
}

#[test]
fn each_entry_is_the_request_that_it_names() {
    let observation = ResourceType::from_name("Observation").unwrap();
    let read = only(r#"{"request":{"method":"GET","url":"Observation/7"}}"#).unwrap();
    assert_eq!(
        read.request().unwrap().interaction(),
        &Interaction::Read {
            resource_type: observation,
            id: "7"
        }
    );
    let conditional = only(
        r#"{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Observation"},
            "request":{"method":"POST","url":"Observation","ifNoneExist":"identifier=1"}}"#,
    )
    .unwrap();
    assert_eq!(
        conditional.request().unwrap().interaction(),
        &Interaction::ConditionalCreate {
            resource_type: observation
        }
    );
    let search = only(r#"{"request":{"method":"GET","url":"Observation?_include=Observation:subject"}}"#);
    assert_eq!(
        search.unwrap().request().unwrap().widening_parameter(),
        Some("_include")
    );
}

#[test]
fn a_url_that_servers_read_in_their_own_way_is_refused() {
    for (url, error) in [
        ("/Observation/7", PathError::EmptySegment),
        (
            "https://fhir.example/Observation/7",
            PathError::ForbiddenCharacter,
        ),
        ("urn:uuid:0", PathError::ForbiddenCharacter),
        ("Observation/../Patient/1", PathError::DotSegment),
        ("Observation/%31", PathError::PercentEncoding),
        ("Observation/7/", PathError::TrailingSlash),
    ] {
        let entry = format!(r#"{{"request":{{"method":"GET","url":"{url}"}}}}"#);
        assert_eq!(fault(&entry), EntryError::Request(error.into()), "{url}");
    }
    assert_eq!(
        fault(
            r#"{"resource":{"resourceType":"Patient"},
                "request":{"method":"POST","url":"Patient","ifNoneExist":"Patient?identifier=1"}}"#
        ),
        EntryError::Request(RequestError::IfNoneExist(QueryError::ForbiddenName))
    );
}

#[test]
fn a_resource_of_another_type_than_the_url_s_is_refused() {
    for (method, url) in [
        ("POST", "Observation"),
        ("PUT", "Observation/7"),
        ("PUT", "Observation?identifier=1"),
    ] {
        for resource in [
            r#""resource":{"resourceType":"Patient"},"#,
            r#""resource":{},"#,
            r#""resource":null,"#,
            "",
        ] {
            let entry = format!(r#"{{{resource}"request":{{"method":"{method}","url":"{url}"}}}}"#);
            assert_eq!(fault(&entry), EntryError::OtherType, "{entry}");
        }
    }
}

#[test]
fn an_entry_without_a_clear_request_is_refused() {
    for entry in [
        "null",
        "[]",
        "{}",
        r#"{"request":null}"#,
        r#"{"request":{"method":"GET"}}"#,
        r#"{"request":{"url":"Patient/1"}}"#,
        r#"{"request":{"method":7,"url":"Patient/1"}}"#,
        r#"{"request":{"method":"POST","url":"Patient","ifNoneExist":["a=b"]}}"#,
    ] {
        assert_eq!(fault(entry), EntryError::NoRequest, "{entry}");
    }
    for entry in [
        r#"{"request":{"method":"GET","url":"Patient/1","URL":"Patient/2"}}"#,
        r#"{"request":{"method":"GET","Method":"DELETE","url":"Patient/1"}}"#,
        r#"{"request":{"method":"GET","url":"Patient/1"},"Request":{"method":"DELETE","url":"Patient/1"}}"#,
        r#"{"resource":{"resourceType":"Patient","resourcetype":"Group"},"request":{"method":"POST","url":"Patient"}}"#,
    ] {
        assert_eq!(fault(entry), EntryError::Capitals, "{entry}");
    }
}

#[test]
fn only_a_batch_or_transaction_with_entries_has_any() {
    for (body, error) in [
        ("", BundleError::Json),
        ("[]", BundleError::Json),
        ("<Bundle/>", BundleError::Json),
        (
            r#"{"resourceType":"Bundle","resourceType":"Bundle"}"#,
            BundleError::Json,
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"url":"a","url":"b"}}]}"#,
            BundleError::Json,
        ),
        ("{}", BundleError::Type),
        (r#"{"resourceType":"Patient"}"#, BundleError::Type),
        (r#"{"resourceType":"Bundle"}"#, BundleError::Type),
        (
            r#"{"resourceType":"Bundle","type":"history","entry":[{}]}"#,
            BundleError::Type,
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch","Entry":[{}],"entry":[{}]}"#,
            BundleError::Capitals,
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch"}"#,
            BundleError::NoEntries,
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch","entry":{}}"#,
            BundleError::NoEntries,
        ),
    ] {
        assert_eq!(entries(body.as_bytes()), Err(error), "{body}");
    }
    assert_eq!(
        entries(b"{\"resourceType\":\"Bundle\",\"a\":\"\xFF\"}"),
        Err(BundleError::Json)
    );
}

#[test]
fn a_bundle_may_have_so_many_entries_and_no_more() {
    let of = |count: usize| {
        let entries = std::vec![r#"{"request":{"method":"GET","url":"Patient/1"}}"#; count];
        bundle(&entries.join(","))
    };
    assert_eq!(
        entries(of(MAXIMUM_ENTRIES).as_bytes()).unwrap().len(),
        MAXIMUM_ENTRIES
    );
    assert_eq!(
        entries(of(MAXIMUM_ENTRIES + 1).as_bytes()),
        Err(BundleError::TooManyEntries)
    );
}

proptest! {
    /// No bytes make the reader fail, and what it reads is what another reader of JSON finds there.
    #[test]
    fn reads_what_another_reader_reads(
        method in "[A-Z]{1,6}|\\PC{0,4}",
        url in "[A-Za-z0-9/?=&_.%:$-]{0,30}|\\PC{0,10}",
        garbage in "[\\[\\]{}\",:a-z0-9\\\\ ]{0,60}",
    ) {
        let _ = entries(garbage.as_bytes());
        let _ = entries(bundle(&garbage).as_bytes());
        let request = serde_json::json!({ "request": { "method": method, "url": url } });
        let entry = only(&format!("{request}")).unwrap();
        prop_assert_eq!(&entry.method, &method);
        let again = match &entry.query {
            Some(query) => format!("{}?{query}", entry.path),
            None => entry.path.clone(),
        };
        prop_assert_eq!(again, format!("/{url}"));
        let _ = entry.request();
    }
}
