//! What `x-kubernetes-validations` refuse.

use serde_json::{Value, json};

use super::{errors, schema};
use crate::kube::schema::Schema;

/// Rules over two integers, as in the documentation's first example.
fn replicas(rule: &Value) -> Schema {
    schema(&json!({"type": "object", "x-kubernetes-validations": [rule], "properties": {
        "min": {"type": "integer"}, "replicas": {"type": "integer"}, "name": {"type": "string"},
        "date": {"type": "string", "format": "date-time"},
        "list": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "namespace": {"type": "string"}, "a-b": {"type": "string"}, "snake_case": {"type": "string"},
    }}))
}

#[test]
fn expressions_of_the_documentation_hold_and_fail_as_documented() {
    let object = json!({
        "min": 1, "replicas": 3, "name": "äbc", "date": "2026-01-02T03:04:05Z", "list": ["a", "b"],
        "labels": {"a.b/c": "d"}, "namespace": "n", "a-b": "x", "snake_case": "s",
    });
    let holds = [
        "self.min <= self.replicas",
        "self.list.all(x, x.matches('^[a-z]$'))",
        "self.list.exists(x, x == 'b') && self.list.isSorted()",
        "self.list.exists_one(x, x == 'b') && self.list.filter(x, x != 'b') == ['a']",
        "self.list.map(x, x + '!').join(',') == 'a!,b!'",
        "has(self.name) && self.name.size() == 3 && size(self.list) == 2",
        "self.name.startsWith('ä') && self.name.endsWith('c') && 'a,b'.split(',').size() == 2",
        "'a.b/c' in self.labels && self.labels['a.b/c'] == 'd'",
        "self.labels.all(k, k.size() < 10)",
        "self.__namespace__ == 'n' && self.a__dash__b == 'x' && self.snake_case == 's'",
        "self.date > timestamp('2025-01-01T00:00:00Z') && self.date.getFullYear() == 2026",
        "self.?min.orValue(7) == 1",
        "self.min == 1 ? self.replicas == 3 : false",
        "duration('2m') > duration('1m') && quantity('1Gi').isGreaterThan(quantity('1Mi'))",
        "!format.dns1123Label().validate('abc').hasValue()",
        "self.replicas / 2 == 1 && self.replicas % 2 == 1 && double(self.min) < 1.5",
    ];
    for rule in holds {
        assert_eq!(errors(&replicas(&json!({"rule": rule})), &object, None), Vec::<String>::new(), "{rule}");
        let negated = replicas(&json!({"rule": format!("!({rule})"), "message": "no"}));
        assert_eq!(errors(&negated, &object, None), ["spec: Invalid value: no"], "{rule}");
    }
}

#[test]
fn absent_optional_fields_can_be_asked_for() {
    let schema = replicas(
        &json!({"rule": "self.?name.orValue('none') == 'none' && !has(self.min) && !self.?name.hasValue()"}),
    );
    assert!(errors(&schema, &json!({}), None).is_empty());
    let careless = replicas(&json!({"rule": "self.name == 'a'", "message": "name must be a"}));
    assert_eq!(
        errors(&careless, &json!({}), None),
        [r#"spec: Invalid value: "object": no such key: name evaluating rule: name must be a"#]
    );
}

#[test]
fn a_rule_that_cannot_be_evaluated_refuses_the_object() {
    let cases = [
        ("self.list[0] == 'a'", "index out of bounds: 0 evaluating rule: self.list[0] == 'a'"),
        ("1 / self.replicas == 1", "division by zero evaluating rule: 1 / self.replicas == 1"),
    ];
    for (rule, expected) in cases {
        let found = errors(&replicas(&json!({"rule": rule})), &json!({"list": [], "replicas": 0}), None);
        assert_eq!(found, [format!(r#"spec: Invalid value: "object": {expected}"#)]);
    }
}

#[test]
fn the_message_is_computed_given_or_the_rule_itself() {
    let wrong = json!({"min": 5, "replicas": 3});
    let cases = [
        (
            json!({"rule": "self.min <= self.replicas"}),
            "spec: Invalid value: failed rule: self.min <= self.replicas",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": " too few "}),
            "spec: Invalid value: too few",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "messageExpression": "'at least ' + string(self.min)"}),
            "spec: Invalid value: at least 5",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "messageExpression": "self.name"}),
            "spec: Invalid value: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "messageExpression": "' '"}),
            "spec: Invalid value: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "fieldPath": ".replicas"}),
            "spec.replicas: Invalid value: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "fieldPath": ".labels['a.b']"}),
            "spec.labels[a.b]: Invalid value: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "reason": "FieldValueForbidden"}),
            "spec: Forbidden: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "reason": "FieldValueRequired"}),
            "spec: Required value: m",
        ),
        (
            json!({"rule": "self.min <= self.replicas", "message": "m", "reason": "FieldValueDuplicate"}),
            "spec: Duplicate value",
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(errors(&replicas(&rule), &wrong, None), [expected], "{rule}");
    }
}

#[test]
fn a_scalar_is_shown_in_the_error() {
    let schema = schema(
        &json!({"type": "string", "x-kubernetes-validations": [{"rule": "self != 'x'", "message": "not x"}]}),
    );
    assert_eq!(errors(&schema, &json!("x"), None), [r#"spec: Invalid value: "x": not x"#]);
}

#[test]
fn the_root_sees_name_and_nothing_else_of_metadata() {
    let rule = |rule: &str| {
        Schema::parse(
            &json!({"type": "object", "x-kubernetes-validations": [{"rule": rule, "message": "m"}]}),
        )
    };
    let object = json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}});
    assert!(
        rule("self.metadata.name == 'a' && self.kind == 'A'").unwrap().validate(&object, None).is_empty()
    );
    assert_eq!(
        rule("self.metadata.name == 'b'").unwrap().validate(&object, None)[0].to_string(),
        "<nil>: Invalid value: m"
    );
    assert!(rule("size(self.metadata.labels) == 0").is_err());
}

#[test]
fn transition_rules_need_an_older_value_of_the_same_thing() {
    let immutable = json!([{"rule": "self == oldSelf", "message": "immutable"}]);
    let schema = schema(&json!({"type": "object", "properties": {
        "id": {"type": "string", "x-kubernetes-validations": immutable},
        "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {
            "type": "object", "required": ["k"], "properties": {"k": {"type": "string"},
            "v": {"type": "string", "x-kubernetes-validations": immutable}}}},
    }}));
    let stored = json!({"id": "a", "map": [{"k": "1", "v": "x"}, {"k": "2", "v": "y"}]});
    let cases = [
        (json!({"id": "b"}), None, vec![]),
        (json!({"id": "b"}), Some(&stored), vec![r#"spec.id: Invalid value: "b": immutable"#]),
        (json!({}), Some(&stored), vec![]),
        (json!({"map": [{"k": "2", "v": "y"}, {"k": "3", "v": "z"}]}), Some(&stored), vec![]),
        (
            json!({"map": [{"k": "2", "v": "z"}]}),
            Some(&stored),
            vec![r#"spec.map[0].v: Invalid value: "z": immutable"#],
        ),
    ];
    for (new, old, expected) in cases {
        assert_eq!(errors(&schema, &new, old), expected, "{new}");
    }
}

#[test]
fn an_optional_old_self_is_there_on_create_too() {
    let rule = json!({"rule": "oldSelf.hasValue() || self.replicas == 1", "message": "start with 1", "optionalOldSelf": true});
    let schema = replicas(&rule);
    assert_eq!(errors(&schema, &json!({"replicas": 2}), None), ["spec: Invalid value: start with 1"]);
    assert!(errors(&schema, &json!({"replicas": 2}), Some(&json!({"replicas": 1}))).is_empty());
    let grow = replicas(
        &json!({"rule": "self.replicas >= oldSelf.orValue(self).replicas", "message": "grow", "optionalOldSelf": true}),
    );
    assert!(errors(&grow, &json!({"replicas": 1}), None).is_empty());
    assert_eq!(
        errors(&grow, &json!({"replicas": 1}), Some(&json!({"replicas": 2}))),
        ["spec: Invalid value: grow"]
    );
}

#[test]
fn rules_are_skipped_for_objects_of_the_wrong_shape_and_for_nulls() {
    let schema = replicas(&json!({"rule": "self.min <= self.replicas"}));
    assert_eq!(
        errors(&schema, &json!({"min": "5", "replicas": 1}), None),
        [
            r#"spec.min: Invalid value: "string": spec.min in body must be of type integer: "string""#,
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ]
    );
    let nullable = super::schema(
        &json!({"type": "string", "nullable": true, "x-kubernetes-validations": [{"rule": "false"}]}),
    );
    assert!(errors(&nullable, &json!(null), None).is_empty());
}

#[test]
fn a_rule_that_came_later_spares_what_is_stored() {
    let schema = replicas(&json!({"rule": "self.min <= self.replicas", "message": "m"}));
    let stored = json!({"min": 5, "replicas": 3});
    assert!(errors(&schema, &stored, Some(&stored)).is_empty());
    assert_eq!(errors(&schema, &json!({"min": 6, "replicas": 3}), Some(&stored)), ["spec: Invalid value: m"]);
}
