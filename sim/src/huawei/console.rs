//! What people do in the console that has to do with the next certificate.

use jiff::{SignedDuration, Timestamp};

use super::{
    certificate::{Certificate, InPlace, Status},
    following,
    simulated::{HuaweiCloud, MoveError},
    succession::Succession,
    term::{Plan, Term},
};
use crate::cloud::{Coverage, UnknownCertificate};

impl HuaweiCloud {
    /// Says for how many years a certificate was bought, and who makes the next one.
    pub fn set_term(&self, certificate_id: &str, years: u16, plan: Plan) -> Result<(), UnknownCertificate> {
        self.set(certificate_id, |certificate| {
            certificate.term = Term { years, plan, began: certificate.term.began };
        })
    }

    /// Makes the next certificate of an issued one, at once. Returns its id, which may be the same.
    pub fn make_successor(&self, certificate_id: &str, succession: Succession) -> Result<String, MoveError> {
        let options = &self.cloud.options;
        let mut world = self.cloud.world();
        let now = world.now();
        let unknown = || UnknownCertificate(certificate_id.to_owned());
        let old = world.state.certificates.get(certificate_id).ok_or_else(unknown)?;
        if old.status != Status::ISSUED || old.renews_in_place() {
            return Err(MoveError::WrongStatus(certificate_id.to_owned(), old.status));
        }
        let made = following::follow(&mut world.state, certificate_id, succession, options, now);
        Ok(made.ok_or_else(unknown)?)
    }

    /// Buys another certificate of the same specification for something else: `PAID`, with an order of its own. Returns its
    /// id.
    pub fn buy_alike(&self, certificate_id: &str) -> Result<String, UnknownCertificate> {
        let mut world = self.cloud.world();
        let (now, id) = (world.now(), world.state.new_certificate_id());
        let one = world.state.certificates.get(certificate_id);
        let one = one.ok_or_else(|| UnknownCertificate(certificate_id.to_owned()))?;
        let alike = following::alike(one, &id, now);
        world.state.certificates.insert(id.clone(), alike);
        Ok(id)
    }

    /// Asks for a reissue in the console: the authority reviews it, under a status word which no document tells.
    ///
    /// It is a correction, within days of the issuance and for one name only: the authority cancels the old leaf before it
    /// validates anew ([`HuaweiCloud::confirm_reissue`]), and the id stays.
    pub fn begin_reissue(&self, certificate_id: &str, shown: Status) -> Result<(), MoveError> {
        let now = self.cloud.world().now();
        self.set(certificate_id, |certificate| {
            let id = || certificate_id.to_owned();
            if certificate.status != Status::ISSUED {
                return Err(MoveError::WrongStatus(id(), certificate.status));
            }
            check_reissue(certificate, now).map_err(|reason| MoveError::NoReissue(id(), reason))?;
            certificate.status = shown;
            certificate.in_place = Some(InPlace::Reissue);
            Ok(())
        })?
    }

    /// Lets the contact confirm that the old leaf is cancelled: it is gone, and the domains are validated anew.
    pub fn confirm_reissue(&self, certificate_id: &str) -> Result<(), MoveError> {
        let (options, now) = (&self.cloud.options, self.cloud.world().now());
        self.set(certificate_id, |certificate| {
            let submission = certificate.submission.clone();
            let Some(submission) = submission.filter(|_| certificate.in_place == Some(InPlace::Reissue))
            else {
                return Err(MoveError::WrongStatus(certificate_id.to_owned(), certificate.status));
            };
            certificate.in_place = None;
            certificate.issued = None;
            certificate.apply(submission, options.applied_status, now);
            Ok(())
        })?
    }
}

/// For how many days after the issuance there is a reissue.
fn reissue_days(certificate: &Certificate) -> i64 {
    if certificate.product.brand == "GLOBALSIGN" { 5 } else { 25 }
}

fn check_reissue(certificate: &Certificate, now: Timestamp) -> Result<(), &'static str> {
    if !matches!(certificate.product.coverage, Coverage::Single | Coverage::Wildcard) {
        return Err("it is for several names");
    }
    let window = SignedDuration::from_hours(24 * reissue_days(certificate));
    let issued = certificate.issued.as_ref().ok_or("it has no leaf")?;
    if now.duration_since(issued.not_before) > window {
        return Err("it was issued too long ago");
    }
    Ok(())
}
