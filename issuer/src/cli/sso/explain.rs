//! `wardgate sso explain`.

use clap::Args;
use serde_json::json;

use crate::administration::sso_connections;
use crate::cli::{Failure, output};

use super::Opened;

/// Arguments of `sso explain`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Explain {
    /// The address somebody types
    email: String,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) async fn run(&self, open: &Opened<'_>) -> Result<(), Failure> {
        let explanation = sso_connections::explain(&open.store, &self.email).await?;
        if self.json {
            return output::json(&json!({
                "way_in": explanation.way_in.as_str(),
                "connection_id": explanation.connection_id,
                "steps": explanation.steps,
            }));
        }
        for (number, step) in (1..).zip(&explanation.steps) {
            output::result(&format!("{number}. {step}"))?;
        }
        Ok(())
    }
}
