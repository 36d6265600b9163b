//! What is made once an isolate: the configuration never changes in it.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::Env;

use crate::config::{Config, ConfigFault, Given, Values, variables};
use crate::gateway::Gateway;
use crate::proxy::sanitize;

use super::bridge;
use super::keys::WebCryptoKey;

/// A working gateway, or what is wrong with its configuration.
pub(super) type Isolate = Result<Rc<Gateway<WebCryptoKey>>, Rc<[ConfigFault]>>;

thread_local! {
    static ISOLATE: OnceCell<Isolate> = const { OnceCell::new() };
}

/// The isolate's state, made at the first request.
pub(super) fn isolate(env: &Env) -> Isolate {
    ISOLATE.with(|cell| cell.get_or_init(|| make(env)).clone())
}

fn make(env: &Env) -> Isolate {
    let unreadable = || -> Rc<[ConfigFault]> {
        let problem = "variables cannot be read".to_owned();
        Rc::from([ConfigFault {
            place: variables::NAMESPACE.to_owned(),
            problem,
        }])
    };
    let values = bridge::variables(env.as_ref(), variables::NAMESPACE).map_err(|_| unreadable())?;
    let mut parts = values.split('\0');
    let mut values = Values::new();
    while let (Some(name), Some(kind), Some(value)) = (parts.next(), parts.next(), parts.next()) {
        let given = match kind {
            "text" => Given::Text(value.to_owned()),
            "list" => Given::List(value.to_owned()),
            _ => Given::Other,
        };
        values.insert(name.to_owned(), given);
    }
    let config = Config::parse(&values).map_err(Rc::<[ConfigFault]>::from)?;
    let faults = config.unbound(|name, method| bridge::binds(env.as_ref(), name, method));
    if faults.is_empty() {
        let removed = sanitize::HOP_BY_HOP.iter().chain(&sanitize::ANSWER_REMOVED);
        let removed = removed.copied().collect::<Vec<_>>().join("\n");
        bridge::set_up(&removed, config.bypasses_cache);
        Ok(Rc::new(Gateway::new(config)))
    } else {
        Err(faults.into())
    }
}
