//! What the certificates of an account say of each other: which one follows which.
//!
//! The names of the cloud's fields mislead. `ReplacedFor` stands on the certificate that was reissued and has the id of the new
//! one; `ReplacedBy` stands on the new one and has the id of the one before. `HostingRenewCertId` is none of these: it belongs to
//! the cloud's own roll-out, which neither issues nor pays.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Deserialize;
use strum::IntoEnumIterator;

use crate::core::observation::{LONGEST_DOMAIN, MOST_RECORDS, Stage, each_once};
use crate::core::registered_domain::registered_domain;
use crate::core::succession::{Candidate, Head, Link, Way};
use crate::provider::lenient::{id, is_certificate_id, lenient, text, texts};
use crate::provider::time;

use super::observation::stage;

/// A row of `DescribeCertificates`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Row {
    #[serde(deserialize_with = "id")]
    certificate_id: Option<String>,
    #[serde(deserialize_with = "id")]
    status: Option<String>,
    #[serde(deserialize_with = "text")]
    status_msg: Option<String>,
    #[serde(deserialize_with = "text")]
    domain: Option<String>,
    #[serde(deserialize_with = "texts")]
    subject_alt_name: Vec<String>,
    #[serde(deserialize_with = "text")]
    cert_end_time: Option<String>,
    #[serde(deserialize_with = "lenient")]
    certificate_extra: Option<Extra>,
    /// The id of a paid renewal, in the list only. Its name is that of a flag, and its type that of an id.
    #[serde(deserialize_with = "id")]
    has_renew_order: Option<String>,
}

/// The links of a row.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Extra {
    #[serde(deserialize_with = "id")]
    replaced_for: Option<String>,
    #[serde(deserialize_with = "id")]
    replaced_by: Option<String>,
    #[serde(deserialize_with = "id")]
    renew_order: Option<String>,
    #[serde(deserialize_with = "id")]
    origin_certificate_id: Option<String>,
    /// Of the site for China, like the next one.
    #[serde(deserialize_with = "id")]
    service_renew_certificate_id: Option<String>,
    #[serde(deserialize_with = "id")]
    service_origin_certificate_id: Option<String>,
}

/// The number of `Status` for a reissue that runs.
const REISSUING: &str = "11";

/// Which of two certificates a link stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// On the one that is followed: it names the one that follows.
    Forward,
    /// On the one that follows: it names the one before.
    Back,
}

/// What is kept of a row: an account may have thousands.
#[derive(Debug)]
pub(super) struct Certificate {
    stage: Stage,
    /// Whether the cloud says that it is being reissued. No document tells whether it says so of the new one or of the old one.
    is_reissued: bool,
    /// The primary name first, with a line break between them.
    names: Box<str>,
    not_after: Option<Timestamp>,
    links: Box<[(Way, Side, Box<str>)]>,
}

impl Row {
    /// The id, and what is kept. `None` if the row has no id that an order may have.
    pub(super) fn kept(self) -> Option<(Box<str>, Certificate)> {
        let id = self.certificate_id.filter(|id| is_certificate_id(id))?;
        let extra = self.certificate_extra.unwrap_or_default();
        let fields = [
            (Way::Reissue, Side::Forward, extra.replaced_for),
            (Way::Reissue, Side::Back, extra.replaced_by),
            (Way::Renewal, Side::Forward, extra.renew_order),
            (Way::Renewal, Side::Forward, self.has_renew_order),
            (Way::Renewal, Side::Back, extra.origin_certificate_id),
            (Way::Subscription, Side::Forward, extra.service_renew_certificate_id),
            (Way::Subscription, Side::Back, extra.service_origin_certificate_id),
        ];
        let mut links: Vec<(Way, Side, Box<str>)> = Vec::new();
        for (way, side, other) in fields {
            let Some(other) = other.filter(|other| *other != id && names_another(other)) else { continue };
            let link = (way, side, other.into_boxed_str());
            if !links.contains(&link) {
                links.push(link);
            }
        }
        let status = self.status.unwrap_or_default();
        let names = self.domain.into_iter().chain(self.subject_alt_name);
        let names = each_once(names.filter(|name| is_name(name)).take(MOST_RECORDS));
        let certificate = Certificate {
            stage: stage(&status, self.status_msg.as_deref()),
            is_reissued: status == REISSUING,
            names: names.join("\n").into_boxed_str(),
            not_after: self.cert_end_time.as_deref().and_then(time::parse),
            links: links.into_boxed_slice(),
        };
        Some((id.into_boxed_str(), certificate))
    }
}

/// Whether the text of a link is an id, and not the word of a flag.
fn names_another(text: &str) -> bool {
    let is_flag = ["0", "1", "true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    is_certificate_id(text) && !is_flag
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_DOMAIN && name.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Certificate {
    fn links(&self, way: Way, side: Side) -> impl Iterator<Item = &str> {
        let is_such = move |link: &&(Way, Side, Box<str>)| (link.0, link.1) == (way, side);
        self.links.iter().filter(is_such).map(|link| &*link.2)
    }

    fn before(&self, way: Way) -> Option<&str> {
        self.links(way, Side::Back).next()
    }

    /// Whether it is part of a reissue that runs.
    fn reissue_runs(&self) -> bool {
        let is_awaited = matches!(
            self.stage,
            Stage::AwaitingInformation
                | Stage::Reviewing
                | Stage::Validating
                | Stage::AwaitingLetter
                | Stage::Issuing
                | Stage::Cancelling
        );
        self.is_reissued || (is_awaited && self.before(Way::Reissue).is_some())
    }

    fn registered_domains(&self) -> impl Iterator<Item = String> {
        let names = self.names.split('\n').map(str::to_ascii_lowercase);
        names.filter_map(|name| registered_domain(&name).map(str::to_owned))
    }
}

/// The certificates of an account.
#[derive(Debug)]
pub(super) struct Certificates {
    by_id: HashMap<Box<str>, Certificate>,
    /// By each id that a link back names, those that name it.
    followers: HashMap<Box<str>, Vec<(Way, Box<str>)>>,
}

impl Certificates {
    pub(super) fn new(by_id: HashMap<Box<str>, Certificate>) -> Self {
        let mut followers: HashMap<Box<str>, Vec<(Way, Box<str>)>> = HashMap::new();
        for (id, certificate) in &by_id {
            for way in Way::iter() {
                if let Some(before) = certificate.before(way) {
                    followers.entry(before.into()).or_default().push((way, id.clone()));
                }
            }
        }
        for followers in followers.values_mut() {
            followers.sort_by(|one, other| one.1.cmp(&other.1));
        }
        Self { by_id, followers }
    }

    /// Whether one of these ids follows this one by a reissue, as either of them says.
    pub(super) fn is_reissued_as_one_of(&self, id: &str, others: &[String]) -> bool {
        let followers = self.by_way(id, Way::Reissue);
        let agree = |link: &Link| matches!(link, Link::Both | Link::Forward | Link::Back);
        followers.iter().any(|(other, link)| agree(link) && others.iter().any(|id| id == other))
    }

    /// Another certificate that is part of a reissue which runs, under a registered domain of this one.
    pub(super) fn reissue_beside(&self, id: &str) -> Option<&str> {
        let own: BTreeSet<String> = self.by_id.get(id)?.registered_domains().collect();
        let beside = self.by_id.iter().filter(|(other, certificate)| {
            &***other != id
                && certificate.reissue_runs()
                && certificate.registered_domains().any(|domain| own.contains(&domain))
        });
        beside.map(|(other, _)| &**other).min()
    }

    /// The certificates that follow this one, each once.
    pub(super) fn successors(&self, head: &Head<'_>) -> Vec<Candidate> {
        let mut found: Vec<(&str, Way, Link)> = Vec::new();
        for way in Way::iter() {
            for (id, link) in self.by_way(head.certificate_id, way) {
                if id == head.certificate_id || head.chain.iter().any(|before| before == id) {
                    continue;
                }
                match found.iter_mut().find(|(known, _, _)| *known == id) {
                    Some(known) if strength(&known.2) < strength(&link) => *known = (id, way, link),
                    Some(_) => {}
                    None => found.push((id, way, link)),
                }
            }
        }
        found.into_iter().map(|(id, way, link)| self.candidate(id, way, link)).collect()
    }

    /// Those that this certificate names in one way, and those that name it.
    fn by_way(&self, head: &str, way: Way) -> Vec<(&str, Link)> {
        let forward: Vec<&str> = match self.by_id.get(head) {
            Some(row) => row.links(way, Side::Forward).collect(),
            None => Vec::new(),
        };
        let link_of = |id: &str| match self.by_id.get(id).and_then(|row| row.before(way)) {
            None => Link::Forward,
            Some(before) if before == head => Link::Both,
            Some(third) => Link::Contradicted(third.to_owned()),
        };
        let mut found: Vec<(&str, Link)> = forward.iter().map(|id| (*id, link_of(id))).collect();
        let followers = self.followers.get(head).into_iter().flatten().filter(|(by, _)| *by == way);
        for (_, id) in followers.filter(|(_, id)| !forward.contains(&&**id)) {
            let third = forward.first().map(|third| (*third).to_owned());
            found.push((id, third.map_or(Link::Back, Link::Contradicted)));
        }
        found
    }

    /// A certificate that is named may be missing: the caller may not see it.
    fn candidate(&self, id: &str, way: Way, link: Link) -> Candidate {
        let row = self.by_id.get(id);
        let names = row.into_iter().flat_map(|row| row.names.split('\n'));
        Candidate {
            certificate_id: id.to_owned(),
            way,
            link,
            stage: row.map_or(Stage::Unrecognised, |row| row.stage),
            names: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            not_after: row.and_then(|row| row.not_after),
        }
    }
}

/// Which of two links counts, where two certificates are linked in two ways. Where each names the other, no third one can
/// change it.
fn strength(link: &Link) -> u8 {
    match link {
        Link::Both => 4,
        Link::Contradicted(_) => 3,
        Link::Back => 2,
        Link::Forward => 1,
        Link::None => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn certificates(rows: &[Value]) -> Certificates {
        let rows = rows.iter().map(|row| serde_json::from_value::<Row>(row.clone()).unwrap());
        Certificates::new(rows.filter_map(Row::kept).collect())
    }

    /// A row with these fields in its `CertificateExtra`.
    fn row(id: &str, extra: Value) -> Value {
        let mut row = json!({"CertificateId": id, "Status": 1, "Domain": "www.acme.example"});
        row["CertificateExtra"] = extra;
        row
    }

    fn of_chain(rows: &[Value], chain: &[&str]) -> Vec<(String, Way, Link)> {
        let chain: Vec<String> = chain.iter().map(|&id| id.to_owned()).collect();
        let head =
            Head { certificate_id: chain.last().unwrap(), common_name: "www.acme.example", chain: &chain };
        let found = certificates(rows).successors(&head);
        found.into_iter().map(|found| (found.certificate_id, found.way, found.link)).collect()
    }

    fn of_head(rows: &[Value]) -> Vec<(String, Way, Link)> {
        of_chain(rows, &["head"])
    }

    fn found(id: &str, way: Way, link: Link) -> (String, Way, Link) {
        (id.to_owned(), way, link)
    }

    /// Each way, with its fields on the one that is followed and on the one that follows.
    const FIELDS: [(Way, &str, &str); 3] = [
        (Way::Reissue, "ReplacedFor", "ReplacedBy"),
        (Way::Renewal, "RenewOrder", "OriginCertificateId"),
        (Way::Subscription, "ServiceRenewCertificateId", "ServiceOriginCertificateId"),
    ];

    #[test]
    fn every_way_is_found_from_either_side() {
        for (way, forward, back) in FIELDS {
            let named = |id: &str| row("head", json!({ forward: id }));
            let says = |id: &str, before: &str| row(id, json!({ back: before }));
            let plain = |id: &str| row(id, json!({}));
            let cases = [
                (vec![named("next"), says("next", "head")], vec![("next", Link::Both)]),
                (vec![named("next"), plain("next")], vec![("next", Link::Forward)]),
                // The one that follows, or the one that is followed, may not be seen by the caller.
                (vec![named("next")], vec![("next", Link::Forward)]),
                (vec![says("next", "head")], vec![("next", Link::Back)]),
                (vec![plain("head"), says("next", "head")], vec![("next", Link::Back)]),
                (
                    vec![named("next"), says("next", "third")],
                    vec![("next", Link::Contradicted("third".to_owned()))],
                ),
                (
                    vec![named("next"), says("next", "head"), says("other", "head")],
                    vec![("next", Link::Both), ("other", Link::Contradicted("next".to_owned()))],
                ),
                (
                    vec![plain("head"), says("next", "head"), says("other", "head")],
                    vec![("next", Link::Back), ("other", Link::Back)],
                ),
                (vec![plain("head"), says("next", "third"), plain("third")], vec![]),
                // The one before is none that follows.
                (vec![says("head", "next"), row("next", json!({ forward: "head" }))], vec![]),
                // A certificate that names itself says nothing.
                (vec![named("head"), says("next", "next")], vec![]),
            ];
            for (rows, expected) in cases {
                let expected: Vec<_> = expected.into_iter().map(|(id, link)| found(id, way, link)).collect();
                assert_eq!(of_head(&rows), expected, "{way}: {rows:?}");
            }
        }
    }

    #[test]
    fn a_renewal_is_named_in_the_list_or_beside_it() {
        let head = |extra: Value, order: &str| {
            let mut row = row("head", extra);
            row["HasRenewOrder"] = json!(order);
            row
        };
        let next = row("next", json!({"OriginCertificateId": "head"}));
        let only = [found("next", Way::Renewal, Link::Both)];
        assert_eq!(of_head(&[head(json!({}), "next"), next.clone()]), only);
        assert_eq!(of_head(&[head(json!({"RenewOrder": "next"}), "next"), next.clone()]), only);
        let two = of_head(&[head(json!({"RenewOrder": "next"}), "other"), next.clone()]);
        assert_eq!(two, [only[0].clone(), found("other", Way::Renewal, Link::Forward)]);
        for flag in ["0", "1", "true", "FALSE", "null", "", " "] {
            assert_eq!(of_head(&[head(json!({"RenewOrder": "next"}), flag), next.clone()]), only, "{flag}");
        }
    }

    #[test]
    fn null_missing_and_empty_are_no_link() {
        for nothing in
            [json!(null), json!(""), json!(" "), json!([]), json!(true), json!("a/../b"), json!("a b")]
        {
            let fields: serde_json::Map<_, _> = FIELDS
                .iter()
                .flat_map(|(_, forward, back)| [forward, back])
                .map(|&field| (field.to_owned(), nothing.clone()))
                .collect();
            let rows = [row("head", Value::Object(fields.clone())), row("next", Value::Object(fields))];
            assert_eq!(of_head(&rows), [], "{nothing}");
        }
        for rows in [
            vec![row("head", json!(null)), row("next", json!("none"))],
            vec![json!({"CertificateId": "head"}), json!({"CertificateId": null})],
            vec![],
        ] {
            assert_eq!(of_head(&rows), [], "{rows:?}");
        }
    }

    #[test]
    fn the_clouds_own_roll_out_is_no_link() {
        let mut head = row("head", json!({}));
        head["HostingRenewCertId"] = json!("next");
        assert_eq!(of_head(&[head, row("next", json!({}))]), []);
    }

    #[test]
    fn what_the_order_had_before_does_not_follow() {
        let rows = [
            row("first", json!({"ReplacedFor": "head"})),
            row("head", json!({"ReplacedBy": "first", "RenewOrder": "first", "ReplacedFor": "next"})),
            row("next", json!({"ReplacedBy": "head"})),
        ];
        assert_eq!(of_chain(&rows, &["first", "head"]), [found("next", Way::Reissue, Link::Both)]);
        // Another reissue of an earlier one is none of this one.
        let rows = [row("head", json!({})), row("next", json!({"ReplacedBy": "first"}))];
        assert_eq!(of_chain(&rows, &["first", "head"]), []);
        // One that says it comes from the first, while the last names it: which of them it follows is not clear.
        let rows = [
            row("head", json!({"RenewOrder": "next"})),
            row("next", json!({"OriginCertificateId": "first"})),
        ];
        let unclear = found("next", Way::Renewal, Link::Contradicted("first".to_owned()));
        assert_eq!(of_chain(&rows, &["first", "head"]), [unclear]);
    }

    #[test]
    fn of_two_ways_the_one_on_which_both_agree_counts() {
        // The next one of a subscription, which also keeps the first one as its origin.
        let rows = [
            row("head", json!({"ServiceRenewCertificateId": "next", "RenewOrder": "next"})),
            row("next", json!({"ServiceOriginCertificateId": "head", "OriginCertificateId": "first"})),
        ];
        assert_eq!(of_head(&rows), [found("next", Way::Subscription, Link::Both)]);
        let rows = [
            row("head", json!({"ReplacedFor": "next", "RenewOrder": "next"})),
            row("next", json!({"OriginCertificateId": "third"})),
        ];
        let contradicted = Link::Contradicted("third".to_owned());
        assert_eq!(of_head(&rows), [found("next", Way::Renewal, contradicted)]);
        // A reissue keeps the origin of what it was reissued from.
        let rows = [
            row("head", json!({"OriginCertificateId": "first", "ReplacedFor": "next"})),
            row("next", json!({"OriginCertificateId": "first", "ReplacedBy": "head"})),
            row("first", json!({"RenewOrder": "head"})),
        ];
        assert_eq!(of_head(&rows), [found("next", Way::Reissue, Link::Both)]);
    }

    #[test]
    fn a_candidate_is_told_as_the_list_shows_it() {
        let next = json!({
            "CertificateId": "next", "Status": 4, "Domain": "www.acme.example",
            "SubjectAltName": ["www.acme.example", "api.acme.example", "x".repeat(254), "two\nlines"],
            "CertEndTime": "2026-07-19 23:59:59", "CertificateExtra": {"ReplacedBy": "head"},
        });
        let chain = ["head".to_owned()];
        let head = Head { certificate_id: "head", common_name: "www.acme.example", chain: &chain };
        let expected = Candidate {
            certificate_id: "next".to_owned(),
            way: Way::Reissue,
            link: Link::Back,
            stage: Stage::Validating,
            names: vec!["www.acme.example".to_owned(), "api.acme.example".to_owned()],
            not_after: Some("2026-07-19T15:59:59Z".parse().unwrap()),
        };
        assert_eq!(certificates(&[next]).successors(&head), [expected]);
        let unseen = certificates(&[row("head", json!({"ReplacedFor": "next"}))]).successors(&head);
        assert_eq!(
            (unseen[0].stage, unseen[0].names.len(), unseen[0].not_after),
            (Stage::Unrecognised, 0, None)
        );
        let waiting =
            json!({"CertificateId": "next", "Status": 5, "CertificateExtra": {"ReplacedBy": "head"}});
        let waiting = certificates(&[waiting]).successors(&head);
        assert_eq!((waiting[0].stage, waiting[0].names.len()), (Stage::AwaitingInformation, 0));
    }

    #[test]
    fn a_reissue_that_runs_under_a_registered_domain_is_in_the_way_of_others_there() {
        let beside = |other: Value| {
            let mut rows = [row("mine", json!({})), row("other", json!({"ReplacedBy": "first"}))];
            let changes = other.as_object().unwrap().clone();
            rows[1].as_object_mut().unwrap().extend(changes);
            certificates(&rows).reissue_beside("mine").map(str::to_owned)
        };
        let in_the_way = Some("other".to_owned());
        let extra = |extra: Value| json!({"Status": 0, "CertificateExtra": extra});
        let cases = [
            ("it runs", json!({"Status": 0, "Domain": "api.acme.example"}), in_the_way.clone()),
            (
                "by a further name",
                json!({"Status": 8, "Domain": "b.example", "SubjectAltName": ["X.Acme.Example"]}),
                in_the_way.clone(),
            ),
            ("elsewhere", json!({"Status": 0, "Domain": "www.other.example"}), None),
            ("it is issued", json!({"Status": 1}), None),
            ("it failed", json!({"Status": 2}), None),
            ("it is no reissue", extra(json!({"OriginCertificateId": "first"})), None),
            (
                "the cloud's own word, without a link",
                json!({"Status": 11, "CertificateExtra": {}}),
                in_the_way,
            ),
        ];
        for (case, other, wanted) in cases {
            assert_eq!(beside(other), wanted, "{case}");
        }
        let own = row("mine", json!({"ReplacedBy": "first"}));
        assert_eq!(certificates(&[own]).reissue_beside("mine"), None);
        assert_eq!(certificates(&[]).reissue_beside("mine"), None);
    }
}
