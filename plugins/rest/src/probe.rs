//! What is missing before a first run: the description, the credentials, each listing, in as few calls as that takes.
//!
//! The one invariant: a platform that cannot be asked is a fault; what an administrator can mend is a finding.

use rollcall_sdk::{Fault, Finding, Host};

use crate::api::Api;
use crate::listing::{directory, first_id};
use crate::spec::{self, Listed};

pub(crate) fn probe<H: Host>(host: &H) -> Result<Vec<Finding>, Fault> {
    if let Err(wrong) = spec::read(host) {
        let finding = |wrong: &spec::Wrong| Finding {
            check: format!("description, {}", wrong.place),
            passed: false,
            remedy: Some(wrong.reason.clone()),
        };
        return Ok(wrong.iter().map(finding).collect());
    }
    let api = Api::new(host)?;
    let mut findings = vec![passed("description".to_owned())];
    for (kind, listing) in &api.spec.listings {
        let check = format!("listing of `{}`", kind.name());
        let within = if listing.per_department && listing.root.is_none() {
            match first_id(&api, Listed::Department) {
                Ok(Some(department)) => Some(department),
                Ok(None) => continue,
                Err(fault) => {
                    findings.push(judged(check, Err(fault))?);
                    continue;
                }
            }
        } else {
            None
        };
        let outcome = directory(&api, kind.kind(), within.as_deref(), None).map(drop);
        findings.push(judged(check, outcome)?);
    }
    Ok(findings)
}

fn passed(check: String) -> Finding {
    Finding { check, passed: true, remedy: None }
}

fn judged(check: String, outcome: Result<(), Fault>) -> Result<Finding, Fault> {
    let remedy = match outcome {
        Ok(()) => return Ok(passed(check)),
        Err(Fault::Unauthorized(it) | Fault::Forbidden(it) | Fault::Invalid(it)) => {
            format!("{}; {}", it.message, it.remedy)
        }
        Err(Fault::NotFound) => {
            "the API answers that there is no such path; compare it with the API's documentation".to_owned()
        }
        Err(Fault::StaleCursor) => {
            "the API's own count does not fit what it lists; remove `total`, or point it at the part's count".to_owned()
        }
        Err(fault @ (Fault::RateLimited(_) | Fault::Unavailable(_) | Fault::Unsupported)) => {
            return Err(fault);
        }
    };
    Ok(Finding { check, passed: false, remedy: Some(remedy) })
}
