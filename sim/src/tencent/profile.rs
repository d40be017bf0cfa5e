//! Saved organisation profiles: companies and their managers. People make them in the console only.

use jiff::Timestamp;
use serde_json::{Value, json};

/// A company of an account (`CompanyInfo` of `DescribeCompanies`).
#[derive(Clone, Default)]
pub struct Company {
    /// The company id.
    pub id: u64,
    /// Its full name.
    pub name: String,
    /// Its country, as free text.
    pub country: String,
    /// Its province or state.
    pub province: String,
    /// Its city.
    pub city: String,
    /// Its street address.
    pub address: String,
    /// Its landline.
    pub phone: String,
    /// The kind of its registration document.
    pub id_type: String,
    /// The number of that document.
    pub id_number: String,
}

impl Company {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "CompanyName": self.name,
            // An integer here, though CertificateInfoSubmit takes the same id as a string.
            "CompanyId": self.id,
            "CompanyCountry": self.country,
            "CompanyProvince": self.province,
            "CompanyCity": self.city,
            "CompanyAddress": self.address,
            "CompanyPhone": self.phone,
            "IdType": self.id_type,
            "IdNumber": self.id_number,
            "Tags": null,
        })
    }
}

/// A manager (administrator) of a company (`ManagerInfo` of `DescribeManagers`).
#[derive(Clone, Default)]
pub struct Manager {
    /// The manager id.
    pub id: u64,
    /// The company that the manager stands for.
    pub company_id: u64,
    /// `none`, `audit`, `CAaudit`, `ok`, `invalid`, `expiring` or `expired`.
    pub status: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Position in the company.
    pub position: String,
    /// Phone number.
    pub phone: String,
    /// Mail address.
    pub mail: String,
    /// Department in the company.
    pub department: String,
    /// When the manager was saved, as the API writes times.
    pub create_time: String,
    /// When the review was asked for.
    pub submit_audit_time: Option<String>,
    /// When the review succeeded.
    pub verify_time: Option<String>,
    /// Until when the review holds.
    pub expire_time: Option<String>,
    /// The review for each kind of certificate.
    pub levels: Vec<ManagerLevel>,
    /// The review that was asked for, if it was by `TencentCloud::submit_for_review`.
    pub review: Option<Review>,
}

/// A review under way.
#[derive(Clone, Debug)]
pub struct Review {
    pub(super) began: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) passes: bool,
}

/// How far a manager's review got for one kind of certificate.
#[derive(Clone, Default)]
pub struct ManagerLevel {
    /// `ov` or `ev`.
    pub level: String,
    /// `pending`, `submitted`, `completed`, `expiring`, `expired` or `invalid`.
    pub status: String,
    /// Domains that were checked beforehand, with the text of their expiry.
    pub domains: Vec<(String, String)>,
}

impl Manager {
    /// Whether the review of an order at this level (`ov`, `ev`) can be skipped.
    pub(super) fn is_approved_for(&self, level: &str) -> bool {
        let good = |status: &str| matches!(status, "completed" | "expiring");
        matches!(self.status.as_str(), "ok" | "expiring")
            && self.levels.iter().any(|entry| entry.level == level && good(&entry.status))
    }

    pub(super) fn to_json(&self, certificates: usize) -> Value {
        let levels: Vec<Value> = self.levels.iter().map(|level| self.level_json(level)).collect();
        let domains: usize = self.levels.iter().map(|level| level.domains.len()).sum();
        json!({
            // An integer here, though CertificateInfoSubmit takes the same id as a string.
            "ManagerId": self.id,
            "Status": self.status,
            "ManagerFirstName": self.first_name,
            "ManagerLastName": self.last_name,
            "ManagerPosition": self.position,
            "ManagerPhone": self.phone,
            "ManagerMail": self.mail,
            "ManagerDepartment": self.department,
            "CreateTime": self.create_time,
            "SubmitAuditTime": self.submit_audit_time,
            "VerifyTime": self.verify_time,
            "ExpireTime": self.expire_time,
            "DomainCount": domains,
            "CertCount": certificates,
            "StatusInfo": levels,
            "Tags": null,
        })
    }

    fn level_json(&self, level: &ManagerLevel) -> Value {
        let domains: Vec<Value> = level
            .domains
            .iter()
            .map(|(domain, expires)| {
                json!({ "Domain": domain, "CreateTime": self.create_time, "ExpireTime": expires })
            })
            .collect();
        json!({
            "Type": level.level,
            "Status": level.status,
            "CreateTime": self.create_time,
            "ExpireTime": self.expire_time,
            "ManagerPreAuditDomains": domains,
        })
    }
}
