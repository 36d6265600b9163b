//! A person who changes their password over and over.

use crate::browser::Browser;
use crate::pair::PASSWORD;

use super::actor::{Address, Trouble};
use super::dice::Dice;
use super::site::Site;

pub(super) struct Person {
    email: String,
    /// The password that was told to count.
    password: String,
    /// One that was asked for without an answer.
    asked: Option<String>,
    browser: Option<Browser>,
    changes: u64,
}

impl Person {
    pub(super) fn new(site: &Site, name: &str) -> Self {
        let email = format!("{name}@clinic.example");
        site.add_person(&email);
        Self {
            email,
            password: PASSWORD.to_owned(),
            asked: None,
            browser: None,
            changes: 0,
        }
    }

    pub(super) async fn act(&mut self, address: &Address, _: &mut Dice) -> Result<(), Trouble> {
        let browser = match self.browser.take() {
            Some(browser) => browser,
            None => self
                .sign_in(address, &self.password)
                .await?
                .ok_or_else(|| self.locked_out())?,
        };
        let browser = self.browser.insert(browser);
        self.changes += 1;
        let new = format!("{PASSWORD}-{}", self.changes);
        self.asked = Some(new.clone());
        let fields = [("password", self.password.as_str()), ("new_password", &new)];
        let answer = browser.submit("/account/password", &fields).await;
        let answer = answer.ok_or(Trouble::Lost)?;
        if answer.status != 303 {
            return Err(Trouble::wrong("a changed password", &answer));
        }
        self.password = new;
        self.asked = None;
        Ok(())
    }

    pub(super) async fn settle(&mut self, address: &Address) -> Result<u64, Trouble> {
        // The browser of before may or may not have got its new session.
        self.browser = None;
        let told = self.sign_in(address, &self.password).await?;
        if let Some(asked) = self.asked.take() {
            let new = self.sign_in(address, &asked).await?;
            if told.is_some() == new.is_some() {
                let what = format!(
                    "one of two passwords, not {}",
                    if told.is_some() { "both" } else { "none" }
                );
                return Err(Trouble::Wrong(what));
            }
            if new.is_some() {
                self.password = asked;
            }
            self.browser = told.or(new);
            return Ok(1);
        }
        self.browser = Some(told.ok_or_else(|| self.locked_out())?);
        Ok(1)
    }

    fn locked_out(&self) -> Trouble {
        Trouble::Wrong(format!(
            "{} cannot sign in with the password that was told to count",
            self.email
        ))
    }

    /// A browser that is signed in, if this is the password.
    async fn sign_in(&self, address: &Address, password: &str) -> Result<Option<Browser>, Trouble> {
        let mut browser = Browser::new(&address.url, &self.email, password);
        let is_in = browser.try_sign_in().await.ok_or(Trouble::Lost)?;
        Ok(is_in.then_some(browser))
    }
}
