//! Requests signed by the vendor's own SDK, as it would send them: the verifier accepts every one.

use http::{HeaderMap, HeaderValue};
use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest, Sha256};

use super::client::{ID, KEY};
use crate::{
    cloud::{credential::Token, request::Received},
    tencent::{
        account::{Account, Credential},
        sign,
    },
};

struct Vector {
    name: &'static str,
    method: &'static str,
    query: &'static str,
    body: &'static str,
    timestamp: i64,
    content_type: &'static str,
    token: Option<&'static str>,
    unsigned_payload: bool,
    canonical_hash: &'static str,
    signature: &'static str,
}

const COMMON: Vector = Vector {
    name: "",
    method: "POST",
    query: "",
    body: "{}",
    timestamp: 1_700_000_000,
    content_type: "application/json",
    token: None,
    unsigned_payload: false,
    canonical_hash: "",
    signature: "",
};

const ESCAPED: &str = r#"{"CertId": "J2lX2maH", "GenCsrType": "online", "CertCommonName": "example.com", "CompanyType": 2, "CompanyId": "0", "ManagerId": "0", "OrgOrganization": "\u793a\u4f8b\u79d1\u6280\u6709\u9650\u516c\u53f8", "OrgCity": "\u5e7f\u5dde"}"#;
const RAW: &str = r#"{"CertId":"J2lX2maH","GenCsrType":"online","CertCommonName":"example.com","CompanyType":2,"CompanyId":"0","ManagerId":"0","OrgOrganization":"示例科技有限公司","OrgCity":"广州"}"#;

const VECTORS: [Vector; 9] = [
    Vector {
        name: "DescribeCertificates",
        body: r#"{"Limit": 10, "Offset": 0}"#,
        canonical_hash: "1972547ab867310061e235e3310cdec489b895026fd66059b5380ce079ce0712",
        signature: "732cbd9e311eada5df611308b19c8c719a2fb267785fa02271433926d3290e70",
        ..COMMON
    },
    Vector {
        name: "non-ASCII text, escaped",
        body: ESCAPED,
        canonical_hash: "10cf0823e4ce820e75793f75fbd4b202240a81c8e41e376809c6f8dc6a62a34b",
        signature: "81b9100e71f33cc75ea1468d64991a765c9d0f415d1d93a92c70aa5bcadaf381",
        ..COMMON
    },
    Vector {
        name: "non-ASCII text, raw",
        body: RAW,
        canonical_hash: "5ab5681a3033a88915a27d62725ece525c12156bdb6827b16fde9a2fdaac8bdd",
        signature: "8f46dbc17441828ae2e4090b7a0c3b58bd0cf389fd969f749d52245eeac1fff8",
        ..COMMON
    },
    Vector {
        name: "temporary token",
        body: r#"{"CertificateId": "J2lX2maH"}"#,
        token: Some("TOKENEXAMPLE==abc/def+123"),
        canonical_hash: "017b01c233470027cba8bfc8a33607a909ab1c42c1bba4ba3f314fc4771a6986",
        signature: "7877c980b08e10cecde999825bf70b7f70feff3b309eec7dbb58b6d05cdaea4e",
        ..COMMON
    },
    Vector {
        name: "last second of a UTC year",
        timestamp: 1_704_067_199,
        canonical_hash: "7bd5a47e4bf2cd8f7702ef8412cb0468ac6ad528bef8c29e0a1342ab654041ac",
        signature: "1c099fd127a565ec38fbe3bc4187c9d9a34c31202d79805d3ad80ab41429c543",
        ..COMMON
    },
    Vector {
        name: "first second of a UTC year",
        timestamp: 1_704_067_200,
        canonical_hash: "7bd5a47e4bf2cd8f7702ef8412cb0468ac6ad528bef8c29e0a1342ab654041ac",
        signature: "04691bb3b6dfc6500441c8e0dcf36e86e142feb6c4aaa800cf84cbc976722ca5",
        ..COMMON
    },
    Vector {
        name: "unsigned payload",
        body: ESCAPED,
        unsigned_payload: true,
        canonical_hash: "7c1f615814c21f05e6a4b5c8bbe9f64076fefde4976d4a79eb00175c134ee3dd",
        signature: "0518e58041ff647e629c1db72af82856bc49db2801cbf284607440606ca3e90d",
        ..COMMON
    },
    Vector {
        name: "content type with a charset",
        body: r#"{"Limit": 10, "Offset": 0}"#,
        content_type: "application/json; charset=utf-8",
        canonical_hash: "9f9257062be92200bff0b37fc5ffb6731fb9d46b1e954746e4876dcd774858c3",
        signature: "5811648589773478d3d5465d2a15490603570a3e40f3b8f1605bd652b3eea98f",
        ..COMMON
    },
    Vector {
        name: "GET with a query",
        method: "GET",
        query: "Limit=10&CertIds.0=a+b&CertIds.1=c%2Fd~%2A&SearchKey=%E7%A4%BA%E4%BE%8B",
        body: "",
        content_type: "application/x-www-form-urlencoded",
        canonical_hash: "a9510e9158523f279617288e4615ad66793404bc1e89705ee5ff0d2fcd8267cf",
        signature: "88c4f3b74c0aac5909aa1f8e6e263d2eba3edab3105957414a2f360671118870",
        ..COMMON
    },
];

impl Vector {
    fn headers(&self) -> HeaderMap {
        let date = self.now().to_zoned(TimeZone::UTC).date();
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={ID}/{date}/ssl/tc3_request, SignedHeaders=content-type;host, Signature={}",
            self.signature
        );
        let mut headers = HeaderMap::new();
        let mut insert = |name, value: &str| headers.insert(name, HeaderValue::from_str(value).unwrap());
        insert("host", "ssl.intl.tencentcloudapi.com");
        insert("content-type", self.content_type);
        insert("x-tc-timestamp", &self.timestamp.to_string());
        insert("authorization", &authorization);
        if let Some(token) = self.token {
            insert("x-tc-token", token);
        }
        if self.unsigned_payload {
            insert("x-tc-content-sha256", "UNSIGNED-PAYLOAD");
        }
        headers
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.timestamp).unwrap()
    }

    fn credential(&self) -> Credential {
        Credential {
            account: Account { uin: "1".to_owned(), app_id: 1 },
            secret_key: KEY.into(),
            token: self.token.map(|token| Token { value: token.into(), expires: Timestamp::MAX }),
        }
    }
}

#[test]
fn the_verifier_accepts_what_the_vendors_sdk_signs() {
    for vector in VECTORS {
        let headers = vector.headers();
        let request = Received {
            method: vector.method,
            path: "/",
            query: vector.query,
            headers: &headers,
            body: vector.body.as_bytes(),
        };
        let canonical = sign::canonical_request(request, "content-type;host").unwrap();
        assert_eq!(hex::encode(Sha256::digest(canonical)), vector.canonical_hash, "{}", vector.name);

        let credential = vector.credential();
        let verified = sign::verify(request, vector.now(), |id| (id == ID).then_some(&credential));
        assert!(verified.is_ok(), "{}: {:?}", vector.name, verified.err());
    }
}

#[test]
fn the_verifier_notices_any_change() {
    for vector in VECTORS {
        let credential = vector.credential();
        let verify = |method, query, headers: &HeaderMap, body| {
            let request = Received { method, path: "/", query, headers, body };
            sign::verify(request, vector.now(), |_| Some(&credential)).err().map(|refusal| refusal.code)
        };
        let headers = vector.headers();
        let failure = Some("AuthFailure.SignatureFailure".into());
        let Vector { method, query, body, .. } = vector;
        assert_eq!(verify("PUT", query, &headers, body.as_bytes()), failure, "{}", vector.name);
        assert_eq!(verify(method, "Limit=11", &headers, body.as_bytes()), failure, "{}", vector.name);
        if method == "POST" && !vector.unsigned_payload {
            assert_eq!(verify(method, query, &headers, b"{ }"), failure, "{}", vector.name);
        }
        let mut other_host = headers.clone();
        other_host.insert("host", HeaderValue::from_static("ssl.tencentcloudapi.com"));
        assert_eq!(verify(method, query, &other_host, body.as_bytes()), failure, "{}", vector.name);
    }
}

#[test]
fn the_key_chain_is_that_of_the_worked_example() {
    let key = sign::signing_key(KEY, "2023-11-14").unwrap();
    assert_eq!(hex::encode(key), "fb89c1a38adcb5ba927999e6915b4e82051027b6e9824ebadd18ec67a1c359b1");
}
