use super::*;

const LONGEST: i64 = 3_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn named(cache: &mut ExchangeCache, secret: &str) -> PairName {
    cache.name("fhir", "key", secret, &|| [7; 16])
}

/// A cache that was told this of a pair, at 0.
fn told(exchanged: Exchanged) -> (ExchangeCache, PairName) {
    let mut cache = ExchangeCache::default();
    let name = named(&mut cache, "secret");
    assert_eq!(cache.look_up(&name, at(0)), Lookup::Exchange);
    cache.start(name, at(0), at(4));
    cache.conclude(&name, exchanged, at(0), at(1), LONGEST);
    (cache, name)
}

fn token(text: &str, renew: bool) -> Lookup {
    Lookup::Token {
        token: text.into(),
        renew,
    }
}

#[test]
fn a_name_is_of_one_key_one_secret_and_one_api_in_one_isolate() {
    let mut cache = ExchangeCache::default();
    let own = named(&mut cache, "secret");
    assert_eq!(own, named(&mut cache, "secret"));
    assert_ne!(own, named(&mut cache, "other"));
    assert_ne!(own, cache.name("labs", "key", "secret", &|| [7; 16]));
    assert_ne!(own, cache.name("fhir", "keys", "ecret", &|| [7; 16]));
    assert_eq!(
        own,
        cache.name("fhir", "key", "secret", &|| [8; 16]),
        "it is drawn once"
    );
    let mut elsewhere = ExchangeCache::default();
    assert_ne!(own, elsewhere.name("fhir", "key", "secret", &|| [8; 16]));
}

#[test]
fn one_exchange_runs_at_a_time_until_it_counts_as_abandoned() {
    let mut cache = ExchangeCache::default();
    let name = named(&mut cache, "secret");
    assert_eq!(cache.look_up(&name, at(0)), Lookup::Exchange);
    cache.start(name, at(0), at(4));
    assert_eq!(cache.look_up(&name, at(3)), Lookup::Wait);
    assert_eq!(cache.look_up(&name, at(4)), Lookup::Exchange);
}

#[test]
fn a_token_is_renewed_from_the_middle_of_its_life_and_ends_before_its_end() {
    let (mut cache, name) = told(Exchanged::Token("t".into(), 300));
    assert_eq!(cache.look_up(&name, at(144)), token("t", false));
    assert_eq!(cache.look_up(&name, at(145)), token("t", true));
    cache.start(name, at(145), at(149));
    assert_eq!(cache.look_up(&name, at(148)), token("t", false));
    cache.conclude(&name, Exchanged::Failed, at(145), at(148), LONGEST);
    assert_eq!(
        cache.look_up(&name, at(152)),
        token("t", false),
        "the issuer rests"
    );
    assert_eq!(cache.look_up(&name, at(153)), token("t", true));
    assert_eq!(cache.look_up(&name, at(289)), token("t", true));
    assert_eq!(cache.look_up(&name, at(290)), Lookup::Exchange);
}

#[test]
fn a_token_is_used_no_longer_than_configured_and_short_ones_nearly_to_their_end() {
    let (mut cache, name) = told(Exchanged::Token("t".into(), 60));
    assert_eq!(cache.look_up(&name, at(53)), token("t", true));
    assert_eq!(cache.look_up(&name, at(54)), Lookup::Exchange);
    cache.start(name, at(100), at(104));
    let long = Exchanged::Token("u".into(), i64::MAX);
    cache.conclude(&name, long, at(100), at(101), LONGEST);
    assert_eq!(cache.look_up(&name, at(100 + LONGEST - 1)), token("u", true));
    assert_eq!(cache.look_up(&name, at(100 + LONGEST)), Lookup::Exchange);
    let (mut cache, name) = told(Exchanged::Token("t".into(), 1));
    assert_eq!(cache.look_up(&name, at(0)), token("t", true));
}

#[test]
fn what_was_refused_or_failed_is_not_asked_about_for_a_while() {
    let (mut cache, name) = told(Exchanged::Refused);
    assert_eq!(cache.look_up(&name, at(REFUSED_SECONDS)), Lookup::Refused);
    assert_eq!(cache.look_up(&name, at(1 + REFUSED_SECONDS)), Lookup::Exchange);
    let (mut cache, name) = told(Exchanged::Failed);
    let unavailable = |seconds| Lookup::Unavailable {
        retry_after_seconds: seconds,
    };
    assert_eq!(cache.look_up(&name, at(1)), unavailable(FAILED_SECONDS));
    assert_eq!(cache.look_up(&name, at(FAILED_SECONDS)), unavailable(1));
    assert_eq!(cache.look_up(&name, at(1 + FAILED_SECONDS)), Lookup::Exchange);
}

#[test]
fn a_refusal_ends_the_token_in_hand() {
    let (mut cache, name) = told(Exchanged::Token("t".into(), 300));
    cache.start(name, at(200), at(204));
    cache.conclude(&name, Exchanged::Refused, at(200), at(201), LONGEST);
    assert_eq!(cache.look_up(&name, at(202)), Lookup::Refused);
}

#[test]
fn a_token_that_took_the_place_of_another_is_not_forgotten_with_it() {
    let (mut cache, name) = told(Exchanged::Token("new".into(), 300));
    cache.forget(&name, "old");
    assert_eq!(cache.distrust(&name, "old", at(2)), FAILED_SECONDS);
    assert_eq!(cache.look_up(&name, at(2)), token("new", false));
    cache.forget(&name, "new");
    assert_eq!(cache.look_up(&name, at(2)), Lookup::Exchange);
    let (mut cache, name) = told(Exchanged::Token("new".into(), 300));
    cache.distrust(&name, "new", at(2));
    let rest = Lookup::Unavailable {
        retry_after_seconds: FAILED_SECONDS,
    };
    assert_eq!(cache.look_up(&name, at(2)), rest);
}

#[test]
fn so_many_strangers_are_asked_for_in_a_second_and_known_pairs_wait_for_none_of_them() {
    let (mut cache, known) = told(Exchanged::Token("t".into(), 300));
    for number in 0..EXCHANGES_PER_SECOND {
        let name = named(&mut cache, &format!("guess {number}"));
        assert_eq!(cache.look_up(&name, at(200)), Lookup::Exchange);
        cache.start(name, at(200), at(204));
    }
    let next = named(&mut cache, "next");
    let later = Lookup::Unavailable {
        retry_after_seconds: 1,
    };
    assert_eq!(cache.look_up(&next, at(200)), later);
    assert_eq!(cache.look_up(&known, at(200)), token("t", true));
    assert_eq!(cache.look_up(&next, at(201)), Lookup::Exchange);
}

#[test]
fn a_flood_of_wrong_secrets_fills_little_and_displaces_no_token() {
    let (mut cache, known) = told(Exchanged::Token("t".into(), 30_000));
    let first = named(&mut cache, "guess 0");
    for second in 1..300 {
        for number in 0..EXCHANGES_PER_SECOND {
            let guess = i64::from(number) + (second - 1) * i64::from(EXCHANGES_PER_SECOND);
            let name = named(&mut cache, &format!("guess {guess}"));
            assert_eq!(cache.look_up(&name, at(second)), Lookup::Exchange);
            cache.start(name, at(second), at(second + 4));
            cache.conclude(&name, Exchanged::Refused, at(second), at(second), LONGEST);
        }
        if second <= REFUSED_SECONDS {
            assert_eq!(cache.look_up(&first, at(second)), Lookup::Refused);
        }
        assert!(cache.pairs.len() <= MAXIMUM_PAIRS);
        assert_eq!(cache.look_up(&known, at(second)), token("t", false));
    }
}

#[test]
fn memory_is_bounded_even_by_tokens() {
    let mut cache = ExchangeCache::default();
    for number in 0..3 * i64::try_from(MAXIMUM_PAIRS).unwrap() {
        let name = named(&mut cache, &format!("customer {number}"));
        assert_eq!(cache.look_up(&name, at(number)), Lookup::Exchange);
        cache.start(name, at(number), at(number + 4));
        let given = Exchanged::Token("t".into(), 100_000);
        cache.conclude(&name, given, at(number), at(number), 100_000);
        assert!(cache.pairs.len() <= MAXIMUM_PAIRS);
        assert_eq!(cache.look_up(&name, at(number)), token("t", false));
    }
}
