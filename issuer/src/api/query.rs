//! The query of a list: `filter[name]`, `page[size]`, `page[after]`. What is not known is refused, since a filter that is
//! misspelled would show, or end, more than was meant.

use crate::administration::FieldFault;
use crate::domain::page::{Cursor, PageRequest};
use crate::extract::parameters::decode;

/// The most parameters that are read.
const MAXIMUM_PARAMETERS: usize = 32;
const SIZE: &str = "page[size]";
const AFTER: &str = "page[after]";

/// The query of a list.
#[derive(Debug, Default)]
pub(super) struct ListQuery {
    filters: Vec<(&'static str, String)>,
    /// Which page is wanted.
    pub(super) page: PageRequest,
}

impl ListQuery {
    /// Reads the query of a list that knows these filters, or says everything that is wrong with it.
    pub(super) fn parse(query: Option<&str>, known: &[&'static str]) -> Result<Self, Vec<FieldFault>> {
        let mut read = Self::default();
        let mut seen: Vec<String> = Vec::new();
        let mut faults = Vec::new();
        for (name, value) in pairs(query)? {
            if seen.contains(&name) {
                faults.push(fault(&name, "must not be repeated"));
                continue;
            }
            if let Err(detail) = read.take(&name, value, known) {
                faults.push(fault(&name, detail));
            }
            seen.push(name);
        }
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    /// Reads the query of what is no list and knows these filters.
    pub(super) fn only_filters(query: Option<&str>, known: &[&'static str]) -> Result<Self, Vec<FieldFault>> {
        let read = Self::parse(query, known)?;
        if read.page == PageRequest::default() {
            Ok(read)
        } else {
            Err(vec![fault("page", "is not known here")])
        }
    }

    /// Refuses a query where none is known.
    pub(super) fn none(query: Option<&str>) -> Result<(), Vec<FieldFault>> {
        let faults: Vec<FieldFault> = pairs(query)?
            .iter()
            .map(|(name, _)| fault(name, "is not known here"))
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn take(&mut self, name: &str, value: String, known: &[&'static str]) -> Result<(), &'static str> {
        match name {
            SIZE => {
                let size = value
                    .parse()
                    .ok()
                    .filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
                self.page.size = size
                    .filter(|size| (1..=PageRequest::LARGEST_SIZE).contains(size))
                    .ok_or("must be a number from 1 to 200")?;
            }
            AFTER => {
                let after = Cursor::parse(&value).ok_or("must be what page.next of the page before says")?;
                self.page.after = Some(after);
            }
            _ => {
                let filter = known.iter().find(|known| **known == name);
                let filter = filter.ok_or("is not known here")?;
                if value.is_empty() {
                    return Err("must not be empty");
                }
                self.filters.push((filter, value));
            }
        }
        Ok(())
    }

    /// The value of a filter, where there is one.
    pub(super) fn filter(&self, name: &str) -> Option<String> {
        let mut filters = self.filters.iter();
        filters
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.clone())
    }

    /// The value of a filter that is true or false.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Vec<FieldFault>> {
        match self.filter(name).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(vec![fault(name, "must be true or false")]),
        }
    }
}

fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, Vec<FieldFault>> {
    let pieces = query
        .unwrap_or_default()
        .split('&')
        .filter(|piece| !piece.is_empty());
    let mut pairs = Vec::new();
    for piece in pieces {
        if pairs.len() == MAXIMUM_PARAMETERS {
            return Err(vec![fault("query", "has too many parameters")]);
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        match (decode(name.as_bytes()), decode(value.as_bytes())) {
            (Some(name), Some(value)) => pairs.push((name, value)),
            (_, _) => return Err(vec![fault("query", "must be percent-encoded UTF-8")]),
        }
    }
    Ok(pairs)
}

fn fault(name: &str, detail: &'static str) -> FieldFault {
    FieldFault::of_unknown(name, detail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ListQuery;
    use crate::domain::page::{Cursor, PageRequest};
    use crate::testing::START;

    const KNOWN: [&str; 2] = ["filter[name]", "filter[active]"];

    fn faults(query: &str) -> Vec<String> {
        let refused = ListQuery::parse(Some(query), &KNOWN).unwrap_err();
        refused.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn reads_filters_and_the_page() {
        let cursor = Cursor {
            at: START,
            id: "user-1".into(),
        };
        let text = format!(
            "filter[name]=Builder%20Admin&filter%5Bactive%5D=true&page[size]=7&page[after]={}",
            cursor.encode()
        );
        let query = ListQuery::parse(Some(&text), &KNOWN).unwrap();
        assert_eq!(query.filter("filter[name]").as_deref(), Some("Builder Admin"));
        assert_eq!(query.boolean("filter[active]").unwrap(), Some(true));
        assert_eq!(
            query.page,
            PageRequest {
                size: 7,
                after: Some(cursor)
            }
        );
        let query = ListQuery::parse(None, &KNOWN).unwrap();
        assert_eq!(
            (query.filter("filter[name]"), query.page),
            (None, PageRequest::default())
        );
    }

    #[test]
    fn refuses_what_it_does_not_know_all_at_once() {
        assert_eq!(
            faults("filter[nmae]=x&sort=name&page[size]=0&page[after]=x&filter[name]=a&filter[name]=a"),
            [
                "filter[nmae]",
                "sort",
                "page[size]",
                "page[after]",
                "filter[name]"
            ]
        );
        for query in [
            "filter[name]=",
            "filter[name]",
            "page[size]=201",
            "page[size]=%2B5",
            "page[size]=",
            "=x",
        ] {
            assert_eq!(faults(query).len(), 1, "{query}");
        }
        for query in ["filter[name]=%FF", "%zz=1", &"a&".repeat(40)] {
            assert_eq!(faults(query), ["query"], "{query}");
        }
        let query = ListQuery::parse(Some("filter[active]=yes"), &KNOWN).unwrap();
        assert!(query.boolean("filter[active]").is_err());
        assert!(ListQuery::none(Some("x=1")).is_err() && ListQuery::none(Some("")).is_ok());
    }

    proptest! {
        #[test]
        fn a_filter_comes_back_as_it_was_encoded(value in "\\PC{1,40}") {
            let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let query = ListQuery::parse(Some(&format!("filter[name]={encoded}")), &KNOWN).unwrap();
            prop_assert_eq!(query.filter("filter[name]"), Some(value));
        }

        #[test]
        fn no_query_panics_and_pages_stay_small(text in "\\PC{0,80}") {
            if let Ok(query) = ListQuery::parse(Some(&text), &KNOWN) {
                prop_assert!((1..=PageRequest::LARGEST_SIZE).contains(&query.page.size));
            }
        }
    }
}
