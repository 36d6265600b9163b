//! When a search carries the restriction of a scope. What is no restriction at all is in `smart/tests.rs`.

use super::*;

fn met(restriction: &str, query: &str) -> bool {
    SearchRestriction::parse(restriction)
        .unwrap()
        .is_met_by(&Query::parse(query).unwrap(), None)
}

#[test]
fn is_met_by_the_same_parameters_in_any_order_and_encoding() {
    for (restriction, query) in [
        ("category=lab", "category=lab"),
        ("category=lab", "code=1&category=lab&_count=5"),
        ("category=lab", "category=lab&category=lab"),
        ("category=s|lab", "category=s%7Clab"),
        ("category=s%7Clab", "category=s|lab"),
        ("category=a%20b", "category=a+b"),
        ("category=a+b", "category=a%2Bb"),
        ("category=lab&status=final", "status=final&category=lab"),
        ("category=a&category=b", "category=b&category=a"),
    ] {
        assert!(met(restriction, query), "{restriction} by {query}");
    }
}

#[test]
fn is_not_met_by_less_or_by_something_else() {
    for (restriction, query) in [
        ("category=lab", ""),
        ("category=lab", "category"),
        ("category=lab", "category="),
        ("category=lab", "category=Lab"),
        ("category=lab", "category=lab,vital"),
        ("category=lab", "category=lab&category=vital"),
        ("category=lab", "category=vital&category=lab"),
        ("category=lab", "category:not=lab"),
        ("category=lab", "Category=lab"),
        ("category=lab", "category=lab&Category=vital"),
        ("category=lab", "category=lab&_format=x;category=vital"),
        ("category=lab", "x=y;category=lab"),
        ("category=lab&status=final", "category=lab"),
        ("category=a&category=b", "category=a"),
        ("category=a+b", "category=a+b"),
        ("category=lab", "category=lab%00"),
        ("category=lab", "category=%FFlab"),
    ] {
        assert!(!met(restriction, query), "{restriction} by {query}");
    }
}

#[test]
fn may_be_split_between_query_and_form() {
    let restriction = SearchRestriction::parse("category=lab&status=final").unwrap();
    let part = |text| Query::parse(text).unwrap();
    assert!(restriction.is_met_by(&part("category=lab"), Some(&part("status=final"))));
    assert!(!restriction.is_met_by(&part("category=lab&status=final"), Some(&part("status=draft"))));
}

#[test]
fn is_implied_by_itself_and_by_more() {
    let implied = |wider: &str, narrower: &str| {
        SearchRestriction::parse(wider)
            .unwrap()
            .is_implied_by(&SearchRestriction::parse(narrower).unwrap())
    };
    assert!(implied("a=1", "a=1"));
    assert!(implied("a=1", "b=2&a=1"));
    assert!(implied("a=x%7Cy", "a=x|y"));
    assert!(!implied("a=1&b=2", "a=1"));
    assert!(!implied("a=1", "a=2"));
    assert!(!implied("a=1", "a=1&a=2"));
}
