//! What a signing request asks for beside its name and key. Every part is read to its end, and a part that is not known
//! here is refused: a name that is overlooked here may be one that a CA certifies.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::der_parser::asn1_rs::{Any, Class, Oid, Tag};
use x509_parser::extensions::{BasicConstraints, GeneralName};
use x509_parser::objects::oid_registry;
use x509_parser::oid_registry::{OID_X509_EXT_BASIC_CONSTRAINTS, OID_X509_EXT_SUBJECT_ALT_NAME};
use x509_parser::prelude::FromDer;

use super::error::CsrError;
use crate::core::x509_name::one_line;

/// The attributes that ask for extensions: that of PKCS #9, and that of older tools of Microsoft
/// (`szOID_CERT_EXTENSIONS`).
const ASK_FOR_EXTENSIONS: [&str; 2] = ["1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"];

/// Attributes that name nothing a CA certifies.
const HARMLESS_ATTRIBUTES: [&str; 4] = [
    "1.2.840.113549.1.9.7",   // challengePassword: between the requester and the CA
    "1.3.6.1.4.1.311.13.2.2", // szOID_ENROLLMENT_CSP_PROVIDER, which certreq writes, like the next two
    "1.3.6.1.4.1.311.13.2.3", // szOID_OS_VERSION
    "1.3.6.1.4.1.311.21.20",  // szOID_REQUEST_CLIENT_INFO: the machine and the program that made the request
];

/// Extensions that hold no name.
const HARMLESS_EXTENSIONS: [&str; 11] = [
    "2.5.29.14",              // subjectKeyIdentifier
    "2.5.29.15",              // keyUsage
    "2.5.29.32",              // certificatePolicies
    "2.5.29.37",              // extKeyUsage
    "1.2.840.113549.1.9.15",  // S/MIME capabilities
    "1.3.6.1.4.1.311.20.2",   // Microsoft: the name of a template
    "1.3.6.1.4.1.311.21.7",   // Microsoft: a template
    "1.3.6.1.4.1.311.21.10",  // Microsoft: application policies
    "1.3.6.1.5.5.7.1.24",     // TLS feature
    "2.16.840.1.113730.1.1",  // Netscape: the type
    "2.16.840.1.113730.1.13", // Netscape: a comment
];

/// What a subject may consist of: the parts of an organisation's name and address, and what the rules for EV
/// certificates add. A common name is looked at by itself. An e-mail address is taken, since `openssl req` asks for one
/// and no public CA certifies it in a certificate of a server.
const SUBJECT: [&str; 14] = [
    "2.5.4.3",                  // commonName
    "2.5.4.5",                  // serialNumber
    "2.5.4.6",                  // countryName
    "2.5.4.7",                  // localityName
    "2.5.4.8",                  // stateOrProvinceName
    "2.5.4.9",                  // streetAddress
    "2.5.4.10",                 // organizationName
    "2.5.4.11",                 // organizationalUnitName
    "2.5.4.15",                 // businessCategory
    "2.5.4.17",                 // postalCode
    "1.2.840.113549.1.9.1",     // emailAddress
    "1.3.6.1.4.1.311.60.2.1.1", // jurisdictionLocalityName
    "1.3.6.1.4.1.311.60.2.1.2", // jurisdictionStateOrProvinceName
    "1.3.6.1.4.1.311.60.2.1.3", // jurisdictionCountryName
];

/// Checks that a subject has nothing but what is known here.
pub(super) fn check_subject(request: &X509CertificationRequest<'_>) -> Result<(), CsrError> {
    let subject = &request.certification_request_info.subject;
    let unknown = subject.iter_attributes().find(|part| !is_one_of(part.attr_type(), &SUBJECT));
    unknown.map_or(Ok(()), |part| Err(CsrError::Subject(describe(part.attr_type()))))
}

/// The DNS names that a request asks for beside its common name.
pub(super) fn dns_names(request: &X509CertificationRequest<'_>) -> Result<Vec<String>, CsrError> {
    let mut asked = None;
    for (type_, values) in attributes(request.certification_request_info.raw)? {
        if is_one_of(&type_, &HARMLESS_ATTRIBUTES) {
            continue;
        }
        if !is_one_of(&type_, &ASK_FOR_EXTENSIONS) {
            return Err(CsrError::Attribute(describe(&type_)));
        }
        let [value] = parts(values)?.try_into().map_err(|_| CsrError::SeveralRequests)?;
        if asked.replace(value).is_some() {
            return Err(CsrError::SeveralRequests);
        }
    }
    asked.map_or(Ok(Vec::new()), |asked| names_of(&asked))
}

/// One value: its tag and content, and all of its bytes.
struct Part<'a> {
    value: Any<'a>,
    whole: &'a [u8],
}

/// The values that stand one after the other in `bytes`, which hold nothing else.
fn parts(bytes: &[u8]) -> Result<Vec<Part<'_>>, CsrError> {
    let (mut all, mut left) = (Vec::new(), bytes);
    while !left.is_empty() {
        let (rest, value) = Any::from_der(left).map_err(|_| CsrError::NotPkcs10)?;
        let whole = left.get(..left.len().saturating_sub(rest.len())).unwrap_or_default();
        all.push(Part { value, whole });
        left = rest;
    }
    Ok(all)
}

/// The values in a value of this type.
fn parts_in<'a>(part: &Part<'a>, tag: Tag) -> Result<Vec<Part<'a>>, CsrError> {
    if part.value.class() != Class::Universal || part.value.tag() != tag {
        return Err(CsrError::NotPkcs10);
    }
    parts(part.value.data)
}

fn oid<'a>(part: &Part<'a>) -> Result<Oid<'a>, CsrError> {
    let (_, oid) = Oid::from_der(part.whole).map_err(|_| CsrError::NotPkcs10)?;
    Ok(oid)
}

/// The attributes of a request (`CertificationRequestInfo` as DER), each with its type and the values in its set. (The
/// library hands over the content of those only that it knows, and their first value.)
fn attributes(info: &[u8]) -> Result<Vec<(Oid<'_>, &[u8])>, CsrError> {
    let [info] = parts(info)?.try_into().map_err(|_| CsrError::NotPkcs10)?;
    let [_version, _subject, _key, attributes] =
        parts_in(&info, Tag::Sequence)?.try_into().map_err(|_| CsrError::NotPkcs10)?;
    if attributes.value.class() != Class::ContextSpecific || attributes.value.tag() != Tag(0) {
        return Err(CsrError::NotPkcs10);
    }
    parts(attributes.value.data)?.iter().map(attribute).collect()
}

fn attribute<'a>(part: &Part<'a>) -> Result<(Oid<'a>, &'a [u8]), CsrError> {
    let [type_, values] = parts_in(part, Tag::Sequence)?.try_into().map_err(|_| CsrError::NotPkcs10)?;
    if values.value.tag() != Tag::Set {
        return Err(CsrError::NotPkcs10);
    }
    Ok((oid(&type_)?, values.value.data))
}

/// The names that a list of extensions asks for.
fn names_of(extensions: &Part<'_>) -> Result<Vec<String>, CsrError> {
    let mut names = Vec::new();
    let mut seen = Vec::new();
    for extension in parts_in(extensions, Tag::Sequence)? {
        let mut fields = parts_in(&extension, Tag::Sequence)?;
        // Whether it is critical; absent means no.
        if fields.len() == 3 && fields.get(1).is_some_and(|field| field.value.tag() == Tag::Boolean) {
            fields.remove(1);
        }
        let [type_, content] = fields.try_into().map_err(|_| CsrError::NotPkcs10)?;
        let type_ = oid(&type_)?;
        if content.value.tag() != Tag::OctetString || seen.contains(&type_) {
            return Err(CsrError::Extension(describe(&type_)));
        }
        let content = content.value.data;
        if type_ == OID_X509_EXT_SUBJECT_ALT_NAME {
            names = alternative_names(content)?;
        } else if type_ == OID_X509_EXT_BASIC_CONSTRAINTS {
            check_is_no_ca(content)?;
        } else if !is_one_of(&type_, &HARMLESS_EXTENSIONS) {
            return Err(CsrError::Extension(describe(&type_)));
        }
        seen.push(type_);
    }
    Ok(names)
}

fn alternative_names(content: &[u8]) -> Result<Vec<String>, CsrError> {
    let [list] = parts(content).map_err(|_| CsrError::Names)?.try_into().map_err(|_| CsrError::Names)?;
    let name = |part: Part<'_>| match GeneralName::from_der(part.whole) {
        Ok((_, GeneralName::DNSName(dns))) => Ok(dns.to_owned()),
        Ok((_, other)) => Err(CsrError::NotDns(one_line(&other.to_string()))),
        Err(_) => Err(CsrError::Names),
    };
    parts_in(&list, Tag::Sequence).map_err(|_| CsrError::Names)?.into_iter().map(name).collect()
}

fn check_is_no_ca(content: &[u8]) -> Result<(), CsrError> {
    match BasicConstraints::from_der(content) {
        Ok(([], constraints)) if !constraints.ca => Ok(()),
        _ => Err(CsrError::Authority),
    }
}

fn is_one_of(oid: &Oid<'_>, known: &[&str]) -> bool {
    known.contains(&oid.to_id_string().as_str())
}

/// An OID with its name, if it has one here.
fn describe(oid: &Oid<'_>) -> String {
    match oid_registry().get(oid) {
        Some(entry) => format!("{} ({})", entry.sn(), oid.to_id_string()),
        None => oid.to_id_string(),
    }
}
