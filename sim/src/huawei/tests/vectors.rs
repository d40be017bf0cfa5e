//! Requests signed by the vendor's own SDK, stage by stage: the verifier computes the same and accepts every one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde::Deserialize;

use super::client::sdk_date;
use crate::{
    cloud::request::Received,
    huawei::{
        account::{Account, Credential},
        sign,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    access_key: String,
    secret_key: String,
    timestamp: i64,
    method: String,
    host: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    payload: String,
}

impl Vector {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.timestamp).unwrap()
    }

    fn headers(&self, authorization: &str) -> HeaderMap {
        let date = sdk_date(self.now());
        let fixed = [("host", self.host.as_str()), ("x-sdk-date", &date), ("authorization", authorization)];
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let header = |(name, value): (&str, &str)| {
            (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
        };
        fixed.into_iter().chain(own).map(header).collect()
    }

    fn received<'a>(&'a self, headers: &'a HeaderMap) -> Received<'a> {
        Received {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers,
            body: self.payload.as_bytes(),
        }
    }

    fn credential(&self) -> Credential {
        let account = Account { domain_id: "1".to_owned() };
        match self.headers.get("x-security-token") {
            Some(token) => Credential::temporary(account, &self.secret_key, token, Timestamp::MAX),
            None => Credential::permanent(account, &self.secret_key),
        }
    }
}

/// Every folder, with its request and the content of a file of it.
fn cases() -> Vec<(PathBuf, Vector)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/huawei");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: Vec<_> = folders
        .map(|folder| {
            let request = fs::read_to_string(folder.join("request.json")).unwrap();
            (folder, serde_json::from_str(&request).unwrap())
        })
        .collect();
    assert_eq!(cases.len(), 8, "a vector was added or lost");
    cases
}

fn expected(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap().trim_end().to_owned()
}

#[test]
fn every_stage_of_every_vector_is_reproduced_and_the_request_accepted() {
    for (folder, vector) in cases() {
        let case = folder.display();
        let authorization = expected(&folder, "authorization.txt");
        let headers = vector.headers(&authorization);
        let signed = authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
        let canonical = sign::canonical_request(vector.received(&headers), signed).unwrap();
        assert_eq!(canonical, expected(&folder, "canonical-request.txt"), "{case}");
        let to_sign = sign::string_to_sign(&sdk_date(vector.now()), &canonical);
        assert_eq!(to_sign, expected(&folder, "string-to-sign.txt"), "{case}");
        let signature = sign::signature(&vector.secret_key, &to_sign).unwrap();
        assert!(authorization.ends_with(&format!("Signature={signature}")), "{case}");

        let credential = vector.credential();
        let find = |key: &str| (key == vector.access_key).then_some(&credential);
        let verified = sign::verify(vector.received(&headers), vector.now(), find);
        assert!(verified.is_ok(), "{case}: {:?}", verified.err());
    }
}

#[test]
fn the_verifier_notices_any_change() {
    for (folder, vector) in cases() {
        let case = folder.display();
        let headers = vector.headers(&expected(&folder, "authorization.txt"));
        let credential = vector.credential();
        let refused = |request: Received<'_>| {
            let refusal = sign::verify(request, vector.now(), |_| Some(&credential)).err();
            refusal.is_some_and(|refusal| {
                refusal.status == 401
                    && refusal.message.contains("verify aksk signature fail, canonicalRequest:")
            })
        };
        let request = vector.received(&headers);
        assert!(refused(Received { method: "PUT", ..request }), "{case}");
        assert!(refused(Received { path: "/v3/scm/certificates/scs1590053258705", ..request }), "{case}");
        assert!(refused(Received { query: "limit=11", ..request }), "{case}");
        assert!(refused(Received { body: b"{ }", ..request }), "{case}");
        for name in vector.headers.keys().map(String::as_str).chain(["host"]) {
            let mut changed = headers.clone();
            changed.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("other"));
            assert!(refused(Received { headers: &changed, ..request }), "{case}: {name}");
        }
    }
}

#[test]
fn header_values_keep_their_case_and_lose_the_spaces_around_them() {
    let headers: HeaderMap = [("host", " SCM.example "), ("x-sdk-date", "20231114T221320Z")]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let request = Received { method: "GET", path: "/", query: "", headers: &headers, body: b"" };
    let canonical = sign::canonical_request(request, "host;x-sdk-date").unwrap();
    assert!(canonical.starts_with("GET\n/\n\nhost:SCM.example\nx-sdk-date:"), "{canonical}");
}

#[test]
fn a_query_is_sorted_by_name_and_value_and_encoded_anew() {
    let headers: HeaderMap = [("host", "a"), ("x-sdk-date", "b")]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let request = Received {
        method: "GET",
        path: "/a%20b/%7e*",
        query: "b=2&a=z&b=1&a-b=(x)&a=%41+c&d",
        headers: &headers,
        body: b"",
    };
    let canonical = sign::canonical_request(request, "host;x-sdk-date").unwrap();
    let lines: Vec<&str> = canonical.lines().collect();
    assert_eq!(lines[1..3], ["/a%20b/~%2A/", "a=A%20c&a=z&a-b=%28x%29&b=1&b=2&d="]);
}
