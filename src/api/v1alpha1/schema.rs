//! Patterns and rules that several types share, and what the derived schemas need to be good CRD schemas.

use kube::core::{Message, Reason, Rule};
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

/// A DNS name as both clouds take it: lower-case A-labels, at least two, a wildcard only as the whole first one.
///
/// The last label starts with a letter, which refuses IP addresses.
pub(super) const DNS_NAME_PATTERN: &str =
    r"^(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$";

/// What to write where [`DNS_NAME_PATTERN`] refuses: the API server names the pattern only.
pub(super) const DNS_NAME_HINT: &str =
    "names are written in lower case, international names in Punycode (xn--...)";

/// Name of an object, as Kubernetes has it (RFC 1123 subdomain).
pub(super) const OBJECT_NAME_PATTERN: &str =
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Key in the data of a Secret.
pub(super) const KEY_PATTERN: &str = r"^[-._a-zA-Z0-9]+$";

/// Id of a paid certificate at either cloud.
pub(super) const CERTIFICATE_ID_PATTERN: &str = r"^[A-Za-z0-9_-]{1,64}$";

/// A length of time, in hours, minutes and seconds.
pub(super) const DURATION_PATTERN: &str = r"^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$";

/// Code of a Huawei Cloud region. It becomes part of a host name, hence the strictness.
pub(super) const REGION_PATTERN: &str = r"^[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}$";

/// Just enough to tell an e-mail address from a slip; the CA has the last word.
pub(super) const EMAIL_PATTERN: &str = r"^[^@\s]+@[^@\s]+$";

/// The fields of spec that the application is made of, and whether each may be absent.
const APPLICATION: [(&str, bool); 8] = [
    ("commonName", false),
    ("dnsNames", true),
    ("csr", true),
    ("csrSecretRef", true),
    ("privateKey", true),
    ("organizationProfileRef", true),
    ("validation.method", false),
    ("provider", false),
];

/// A rule for the whole order: what the application was made of stays as it is while the order is frozen.
///
/// It is one rule with one look at `frozen`: the API server evaluates the rules of the root with every write of a status, and
/// builds the list of the root's properties anew at each access to one. (A comprehension would bind both specs to a name, but
/// exceeds the budget: the bounds of what is bound are not known.)
pub(super) fn frozen() -> Rule {
    let is_kept = |(field, optional): (&str, bool)| {
        let (new, old) = (format!("self.spec.{field}"), format!("oldSelf.spec.{field}"));
        let equal = format!("{new} == {old}");
        if optional { format!("has({new}) == has({old}) && (!has({new}) || {equal})") } else { equal }
    };
    let kept = APPLICATION.map(is_kept).join(" && ");
    let named = APPLICATION.map(|field| format!("({} ? '' : ' {}')", is_kept(field), field.0)).join(" + ");
    let message = format!(
        "'frozen, since the application was sent with it:' + {named} + '; stop a running review with the annotation \
         certorder.dev/withdraw, or create a new CertificateOrder'"
    );
    let frozen = "has(oldSelf.status) && has(oldSelf.status.submission) && oldSelf.status.submission.frozen";
    Rule::new(format!("!({frozen}) || ({kept})"))
        .message(Message::Expression(message))
        .reason(Reason::FieldValueForbidden)
        .field_path(".spec")
}

/// A rule for the whole order on how its names fit together.
///
/// A stored order that violates it, from before the rule, still takes every write that leaves these fields as they are:
/// those of status, labels and finalizers above all. (The name of an object never changes, so what was not changed has
/// violated the rule before. Asking that of `oldSelf` once more exceeds the API server's budget: it knows no bounds of
/// what stands in there.)
pub(super) fn names_fit(holds: &str, fields: &[&str], message: &str) -> Rule {
    let unchanged = fields.iter().map(|field| {
        let (new, old) = (format!("self.{field}"), format!("oldSelf.value().{field}"));
        format!(" && has({new}) == has({old}) && (!has({new}) || {new} == {old})")
    });
    let rule = format!("({holds}) || (oldSelf.hasValue(){})", unchanged.collect::<String>());
    Rule::new(rule).message(message).optional_old_self(true)
}

/// A rule for a field that is fixed once the object exists.
pub(super) fn immutable(field: &str) -> Rule {
    Rule::new("self == oldSelf")
        .message(format!("{field} cannot be changed; create a new CertificateOrder").as_str())
        .reason(Reason::FieldValueForbidden)
}

/// A rule for labels and annotations that a user asks for: those of certorder are not theirs to set. `advice` says which
/// field to leave them out of.
///
/// The label `certorder.dev/readable` lets the content of a Secret be sent to a cloud; whoever writes an order must not be
/// able to put it on the Secret with the private key.
pub(super) fn no_keys_of_ours(advice: &str) -> Rule {
    let message = format!("labels and annotations of certorder.dev/ are set by certorder alone{advice}");
    all_keys("!key.startsWith('certorder.dev/')").message(message.as_str())
}

/// A rule for labels and annotations that a user asks for. A schema bounds values and their number, and only a rule the
/// keys. Objects take no longer ones.
pub(super) fn keys_fit() -> Rule {
    all_keys("size(key) <= 317")
        .message("the key of a label or an annotation has 317 characters at most: a prefix of 253, a slash and a name of 63")
}

fn all_keys(holds: &str) -> Rule {
    let of = |field: &str| format!("(!has(self.{field}) || self.{field}.all(key, {holds}))");
    Rule::new(format!("{} && {}", of("labels"), of("annotations")))
}

/// Labels that a user asks for.
pub(super) fn labels(_: &mut SchemaGenerator) -> Schema {
    texts_by_key(63)
}

/// Annotations that a user asks for.
pub(super) fn annotations(_: &mut SchemaGenerator) -> Schema {
    texts_by_key(4096)
}

fn texts_by_key(longest: u32) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 64,
        "additionalProperties": {"type": "string", "maxLength": longest},
    })
}

/// Brings a derived schema, and every schema inside it, into the form that suits a definition.
pub(super) fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    if let Some(object) = schema.as_object_mut() {
        refuse_null(object);
        join_lines(object);
    }
}

/// Takes the `null` out of an optional field: absent and `null` must not be two things, or a rule with `has()`
/// could be got round by writing `null`. (The API server drops a `null` where none is allowed.)
fn refuse_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    // An optional enumeration comes as `anyOf: [enumeration, null]`.
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&"null".into()));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            only.into_iter().for_each(|(key, value)| {
                schema.entry(key).or_insert(value);
            });
        }
    }
}

/// Joins the lines of each paragraph of the description, which `kubectl explain` wraps by itself.
fn join_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<_> = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect();
        *text = paragraphs.join("\n\n");
    }
}

/// `metav1.Condition` as a list with one entry for each type, bounded as upstream bounds it.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "maxItems": 32,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": {
                    "type": "string", "maxLength": 316,
                    "description": "What is true or not: Ready, Submitted, Issued and so on.",
                },
                "status": {
                    "type": "string", "enum": ["True", "False", "Unknown"],
                    "description": "True, False or Unknown.",
                },
                "observedGeneration": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "The metadata.generation that this condition speaks about.",
                },
                "reason": {
                    "type": "string", "minLength": 1, "maxLength": 1024,
                    "description": "One word of a documented list that says why.",
                },
                "message": {
                    "type": "string", "maxLength": 4096,
                    "description": "What is the case and what to do about it, for people.",
                },
                "lastTransitionTime": {
                    "type": "string", "format": "date-time",
                    "description": "When status last changed.",
                },
            },
        },
    })
}

/// An object whose fields the API server keeps as they are. Applications have half as many fields.
pub(super) fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "maxProperties": 128, "x-kubernetes-preserve-unknown-fields": true })
}
