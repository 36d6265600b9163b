//! Hashing, checking, and waiting for a turn.

use std::sync::Arc;

use wardgate_shared::secret::Secret;

use super::{MAXIMUM_PASSWORD_BYTES, PasswordCheck, PasswordError, Passwords};
use crate::config::PasswordsConfig;

/// The least that Argon2 takes: these tests measure no strength.
fn cheap() -> PasswordsConfig {
    PasswordsConfig {
        memory_kib: 8,
        iterations: 1,
        parallelism: 1,
        concurrency: 2,
        minimum_length: 8,
        minimum_classes: 3,
        refused: Vec::new(),
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.into())
}

#[tokio::test]
async fn a_password_matches_its_own_hash_and_no_other() {
    let passwords = Passwords::new(&cheap()).unwrap();
    let hash = passwords.hash(secret("correct horse")).await.unwrap();
    assert!(
        hash.expose().starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
        "{}",
        hash.expose()
    );
    let check = async |password: &str| passwords.verify(secret(password), Some(&hash)).await.unwrap();
    assert_eq!(
        check("correct horse").await,
        PasswordCheck::Match { rehash: false }
    );
    for wrong in ["", "correct horsf", "correct horse ", "Correct horse"] {
        assert_eq!(check(wrong).await, PasswordCheck::Mismatch, "{wrong}");
    }
}

#[tokio::test]
async fn equal_passwords_have_different_hashes() {
    let passwords = Passwords::new(&cheap()).unwrap();
    let first = passwords.hash(secret("correct horse")).await.unwrap();
    assert!(first != passwords.hash(secret("correct horse")).await.unwrap());
}

#[tokio::test]
async fn without_an_account_nothing_matches_and_the_same_function_is_computed() {
    let passwords = Passwords::new(&cheap()).unwrap();
    assert_eq!(
        passwords.verify(secret("correct horse"), None).await,
        Ok(PasswordCheck::Mismatch)
    );
    // The dummy has the configured costs, so that its verification takes as long as a real one.
    assert!(
        passwords
            .0
            .dummy
            .expose()
            .starts_with("$argon2id$v=19$m=8,t=1,p=1$")
    );
}

#[tokio::test]
async fn a_hash_with_other_costs_matches_and_asks_for_a_new_one() {
    let old = Passwords::new(&cheap()).unwrap();
    let hash = old.hash(secret("correct horse")).await.unwrap();
    for costs in [
        PasswordsConfig {
            memory_kib: 16,
            ..cheap()
        },
        PasswordsConfig {
            iterations: 2,
            ..cheap()
        },
        PasswordsConfig {
            memory_kib: 16,
            parallelism: 2,
            ..cheap()
        },
    ] {
        let new = Passwords::new(&costs).unwrap();
        let check = new.verify(secret("correct horse"), Some(&hash)).await;
        assert_eq!(check, Ok(PasswordCheck::Match { rehash: true }), "{costs:?}");
        assert_eq!(
            new.verify(secret("wrong horse"), Some(&hash)).await,
            Ok(PasswordCheck::Mismatch)
        );
    }
}

#[tokio::test]
async fn a_damaged_hash_is_an_error_and_no_mismatch() {
    let passwords = Passwords::new(&cheap()).unwrap();
    for damaged in [
        "",
        "plain",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$2b$12$abcdefghijklmnopqrstuv",
    ] {
        let check = passwords
            .verify(secret("correct horse"), Some(&secret(damaged)))
            .await;
        assert_eq!(check, Err(PasswordError::Damaged), "{damaged}");
    }
}

#[tokio::test]
async fn holds_new_passwords_to_their_length_in_characters_and_bytes() {
    let passwords = Passwords::new(&cheap()).unwrap();
    assert_eq!(
        passwords.hash(secret("seven77")).await.err(),
        Some(PasswordError::TooShort)
    );
    assert_eq!(
        passwords.hash(secret("äöü")).await.err(),
        Some(PasswordError::TooShort),
        "characters, not bytes"
    );
    assert!(passwords.hash(secret("ääääöööö")).await.is_ok());
    let longest = "a".repeat(MAXIMUM_PASSWORD_BYTES);
    let hash = passwords.hash(secret(&longest)).await.unwrap();
    let too_long = format!("{longest}a");
    assert_eq!(
        passwords.hash(secret(&too_long)).await.err(),
        Some(PasswordError::TooLong)
    );
    assert_eq!(
        passwords.verify(secret(&too_long), Some(&hash)).await,
        Ok(PasswordCheck::Mismatch)
    );
}

#[test]
fn refuses_costs_that_do_not_work_together() {
    let costs = PasswordsConfig {
        memory_kib: 8,
        parallelism: 2,
        ..cheap()
    };
    assert_eq!(Passwords::new(&costs).err(), Some(PasswordError::Parameters));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_too_long_is_told_to_come_back() {
    let passwords = Passwords::new(&cheap()).unwrap();
    let turns = Arc::clone(&passwords.0.turns)
        .acquire_many_owned(2)
        .await
        .unwrap();
    // Time is the runtime's own here and jumps ahead while everybody waits.
    assert_eq!(
        passwords.hash(secret("correct horse")).await.err(),
        Some(PasswordError::Busy)
    );
    drop(turns);
    assert!(passwords.hash(secret("correct horse")).await.is_ok());
}

#[tokio::test]
async fn a_turn_ends_with_its_work_even_if_the_caller_has_gone() {
    let passwords = Passwords::new(&cheap()).unwrap();
    for _ in 0..10 {
        let mut hashing = Box::pin(passwords.hash(secret("correct horse")));
        let started =
            std::future::poll_fn(|context| std::task::Poll::Ready(hashing.as_mut().poll(context))).await;
        drop((started, hashing));
    }
    let all = passwords.0.turns.acquire_many(2).await.unwrap();
    assert_eq!(all.num_permits(), 2);
}

#[test]
fn debug_output_says_nothing() {
    assert_eq!(
        format!("{:?}", Passwords::new(&cheap()).unwrap()),
        "Passwords { .. }"
    );
}
