//! How objects are pruned, defaulted and checked.

use serde_json::{Value, json};

use super::{errors, schema};
use crate::kube::schema::Schema;

#[test]
fn unknown_fields_are_pruned_and_named() {
    let schema = schema(&json!({"type": "object", "properties": {
        "known": {"type": "string"},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "string"}}}},
        "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"shut": {"type": "object"}}},
        "pod": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
    }}));
    let mut object = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "stray": 1, "spec": {
        "known": "k", "unknown": {"a": 1}, "list": [{"a": "", "b": 1}], "map": {"x": {"a": "", "b": 1}},
        "open": {"any": {"thing": 1}, "shut": {"gone": 1}},
        "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"gone": 1}, "status": {}},
    }});
    let removed = schema.prune(&mut object);
    assert_eq!(
        removed,
        [
            "spec.list[0].b",
            "spec.map.x.b",
            "spec.open.shut.gone",
            "spec.pod.spec.gone",
            "spec.pod.status",
            "spec.unknown",
            "stray"
        ]
    );
    let kept = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {
        "known": "k", "list": [{"a": ""}], "map": {"x": {"a": ""}}, "open": {"any": {"thing": 1}, "shut": {}},
        "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
    }});
    assert_eq!(object, kept);
}

#[test]
fn defaults_fill_absent_fields_and_forbidden_nulls() {
    // The example of the documentation: "Defaulting and Nullable".
    let documented = schema(&json!({"type": "array", "items": {"type": "object", "properties": {
        "foo": {"type": "string", "nullable": false, "default": "default"},
        "bar": {"type": "string", "nullable": true},
        "baz": {"type": "string"},
    }}}));
    let mut object = json!({"spec": [{"foo": null, "bar": null, "baz": null}]});
    documented.default(&mut object);
    assert_eq!(object, json!({"spec": [{"foo": "default", "bar": null}]}));

    let nested = schema(&json!({"type": "object", "properties": {
        "outer": {"type": "object", "default": {}, "properties": {"inner": {"type": "integer", "default": 3}}},
        "absent": {"type": "object", "properties": {"inner": {"type": "integer", "default": 3}}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}},
    }}));
    let mut object = json!({"spec": {"map": {"x": {}}}});
    nested.default(&mut object);
    assert_eq!(object, json!({"spec": {"outer": {"inner": 3}, "map": {"x": {"n": 1}}}}));
}

#[test]
fn a_default_below_a_nullable_null_is_not_reached() {
    let schema = schema(
        &json!({"type": "object", "nullable": true, "properties": {"a": {"type": "string", "default": "x"}}}),
    );
    let mut object = json!({"spec": null});
    schema.default(&mut object);
    assert_eq!(object, json!({"spec": null}));
}

#[test]
fn values_of_another_type_are_refused() {
    let cases = [
        (json!({"type": "string"}), json!(1), "string", "integer"),
        (json!({"type": "string"}), json!(null), "string", "null"),
        (json!({"type": "boolean"}), json!("true"), "boolean", "string"),
        (json!({"type": "object"}), json!([]), "object", "array"),
        (json!({"x-kubernetes-int-or-string": true}), json!(true), "integer,string", "boolean"),
        (json!({"type": "integer", "format": "int32"}), json!({}), "int32", ""),
        (json!({"type": "string", "format": "date-time"}), json!(1.5), "date-time", "float64"),
    ];
    for (x, value, wanted, found) in cases {
        let schema = schema(&json!({"type": "object", "properties": {"x": x}}));
        let detail = format!("spec.x in body must be of type {wanted}: {found:?}");
        let expected = format!("spec.x: Invalid value: {found:?}: {detail}");
        assert_eq!(errors(&schema, &json!({"x": value}), None), [expected], "{x} {value}");
    }
}

/// One keyword against one value: the schema of `spec.x`, the value, the error or nothing.
#[test]
fn values_out_of_bounds_are_refused_in_the_words_of_the_api_server() {
    let text = |keyword: &str, value: Value| json!({"type": "string", keyword: value});
    let integer = |keyword: &str, value: Value| json!({"type": "integer", keyword: value});
    let list =
        |keyword: &str, value: Value| json!({"type": "array", keyword: value, "items": {"type": "string"}});
    let map = |keyword: &str, value: Value| json!({"type": "object", keyword: value, "x-kubernetes-preserve-unknown-fields": true});
    let cases = [
        (
            text("enum", json!(["Apply", "Plan"])),
            json!("X"),
            r#"spec.x: Unsupported value: "X": supported values: "Apply", "Plan""#,
        ),
        (
            text("pattern", json!("^[a-z]+$")),
            json!("A"),
            r#"spec.x: Invalid value: "A": spec.x in body should match '^[a-z]+$'"#,
        ),
        (text("maxLength", json!(2)), json!("äöü"), "spec.x: Too long: may not be more than 2 bytes"),
        (
            text("minLength", json!(2)),
            json!("ä"),
            r#"spec.x: Invalid value: "ä": spec.x in body should be at least 2 chars long"#,
        ),
        (
            integer("minimum", json!(1)),
            json!(0),
            "spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1",
        ),
        (
            integer("maximum", json!(1)),
            json!(2),
            "spec.x: Invalid value: 2: spec.x in body should be less than or equal to 1",
        ),
        (
            json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}),
            json!(1),
            "spec.x: Invalid value: 1: spec.x in body should be greater than 1",
        ),
        (
            integer("multipleOf", json!(5)),
            json!(7),
            "spec.x: Invalid value: 7: spec.x in body should be a multiple of 5",
        ),
        (
            integer("format", json!("int32")),
            json!(3_000_000_000_i64),
            r#"<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x"#,
        ),
        (
            integer("title", json!("int64")),
            json!(9.3e18),
            r#"<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.x"#,
        ),
        (list("maxItems", json!(1)), json!(["a", "b"]), "spec.x: Too many: 2: must have at most 1 item"),
        (
            list("minItems", json!(1)),
            json!([]),
            "spec.x: Invalid value: 0: spec.x in body should have at least 1 items",
        ),
        (
            map("maxProperties", json!(1)),
            json!({"a": 1, "b": 1}),
            "spec.x: Too many: 2: must have at most 1 item",
        ),
        (
            map("minProperties", json!(1)),
            json!({}),
            "spec.x: Invalid value: 0: spec.x in body should have at least 1 properties",
        ),
        (map("required", json!(["a"])), json!({}), "spec.x.a: Required value"),
        (
            text("format", json!("date-time")),
            json!("today"),
            r#"spec.x: Invalid value: "today": spec.x in body must be of type date-time: "today""#,
        ),
        (
            text("format", json!("byte")),
            json!("%"),
            r#"spec.x: Invalid value: "%": spec.x in body must be of type byte: "%""#,
        ),
    ];
    for (x, value, expected) in cases {
        let schema = schema(&json!({"type": "object", "properties": {"x": x}}));
        assert_eq!(errors(&schema, &json!({"x": value}), None), [expected], "{x} {value}");
    }
}

#[test]
fn a_fraction_is_no_integer() {
    let schema = schema(&json!({"type": "object", "properties": {"x": {"type": "integer"}}}));
    let expected = [
        r#"spec.x: Invalid value: "number": spec.x in body must be of type integer: "number""#,
        r#"<nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.x"#,
    ];
    assert_eq!(errors(&schema, &json!({"x": 1.5}), None), expected);
}

#[test]
fn strings_are_checked_against_the_formats_an_api_server_knows() {
    let cases = [
        (
            "date-time",
            vec!["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123+08:00"],
            vec!["2026-01-02 03:04:05", "2026-01-02", ""],
        ),
        ("date", vec!["2026-01-02"], vec!["2026-1-2"]),
        ("byte", vec!["YQ=="], vec!["YQ", "", "YQ==\n"]),
        ("uri", vec!["http://a/b", "/a", "urn:x:y"], vec!["x", "http://a b"]),
        ("email", vec!["a@b", "A B <a@b.c>"], vec!["a", "a@b@c"]),
        ("hostname", vec!["a", "a.example"], vec!["a.b", "a_b", "-a", "*.a"]),
        ("ipv4", vec!["1.2.3.4"], vec!["1.2.3"]),
        ("ipv6", vec!["::1"], vec!["1.2.3.4"]),
        ("cidr", vec!["10.0.0.0/8", "::/0"], vec!["10.0.0.0/33", "10.0.0.0"]),
        ("mac", vec!["01:02:03:04:05:06"], vec!["01:02"]),
        (
            "uuid",
            vec!["123e4567-e89b-12d3-a456-426614174000"],
            vec!["{123e4567-e89b-12d3-a456-426614174000}"],
        ),
        ("duration", vec!["1h30m", "-1s", "0", "22 ns", "2 weeks"], vec!["x", "1"]),
        ("unheard-of", vec!["?"], vec![]),
    ];
    for (format, good, bad) in cases {
        let schema = schema(&json!({"type": "string", "format": format}));
        for text in good {
            assert_eq!(errors(&schema, &json!(text), None), Vec::<String>::new(), "{format}");
        }
        for text in bad {
            let expected =
                format!("spec: Invalid value: {text:?}: spec in body must be of type {format}: {text:?}");
            assert_eq!(errors(&schema, &json!(text), None), [expected]);
        }
    }
}

#[test]
fn values_that_fit_are_accepted() {
    let cases = [
        (json!({"type": "number"}), json!(1)),
        (json!({"type": "integer"}), json!(1.0)),
        (json!({"type": "string", "nullable": true}), json!(null)),
        (json!({"x-kubernetes-int-or-string": true}), json!("50%")),
        (json!({"x-kubernetes-int-or-string": true}), json!(50)),
        (json!({"x-kubernetes-preserve-unknown-fields": true}), json!({"a": [1]})),
        (json!({"type": "string", "maxLength": 3}), json!("äöü")),
        (json!({"type": "string", "format": "date-time"}), json!("2026-01-02T03:04:05Z")),
        (json!({"type": "string", "format": "byte"}), json!("YQ==")),
        (json!({"type": "string", "format": "unheard-of"}), json!("?")),
    ];
    for (x, value) in cases {
        let schema = schema(&json!({"type": "object", "properties": {"x": x}}));
        assert_eq!(errors(&schema, &json!({"x": value}), None), Vec::<String>::new(), "{x} {value}");
    }
}

#[test]
fn junctors_say_how_many_alternatives_fit() {
    let either = |junctor: &str| {
        schema(&json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            junctor: [{"required": ["a"]}, {"required": ["b"]}]}))
    };
    let (none, both) = (json!({}), json!({"a": "", "b": ""}));
    let one_of = either("oneOf");
    assert_eq!(
        errors(&one_of, &none, None),
        [
            r#"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid"#,
            "spec.a: Required value"
        ]
    );
    assert_eq!(
        errors(&one_of, &both, None),
        [
            r#"<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
        ]
    );
    assert!(errors(&one_of, &json!({"a": ""}), None).is_empty());
    assert_eq!(
        errors(&either("anyOf"), &none, None)[0],
        r#"<nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)"#
    );
    assert!(
        errors(&either("allOf"), &json!({"a": ""}), None).contains(
            &r#"<nil>: Invalid value: "": "spec" must validate all the schemas (allOf)"#.to_owned()
        )
    );
    let not = schema(&json!({"type": "string", "not": {"enum": ["x"]}}));
    assert_eq!(
        errors(&not, &json!("x"), None),
        [r#"<nil>: Invalid value: "": "spec" must not validate the schema (not)"#]
    );
    assert!(errors(&not, &json!("y"), None).is_empty());
}

#[test]
fn sets_and_map_lists_hold_each_entry_once() {
    let schema = schema(&json!({"type": "object", "properties": {
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"], "items":
            {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "n": {"type": "integer"}}}},
    }}));
    let twice = json!({"set": ["a", "b", "a", "a"], "map": [{"type": "A", "n": 1}, {"type": "A", "n": 2}]});
    let found = errors(&schema, &twice, None);
    assert_eq!(
        found,
        [r#"spec.map[1]: Duplicate value: {"type":"A"}"#, r#"spec.set[2]: Duplicate value: "a""#]
    );
    assert!(errors(&schema, &twice, Some(&twice)).is_empty(), "what is stored may stay");
}

#[test]
fn an_update_is_not_refused_for_what_it_leaves_alone() {
    let schema = schema(
        &json!({"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}, "b": {"type": "string"}}}),
    );
    let stored = json!({"a": "long", "b": "x"});
    assert!(errors(&schema, &json!({"a": "long", "b": "y"}), Some(&stored)).is_empty());
    assert_eq!(
        errors(&schema, &json!({"a": "longer", "b": "y"}), Some(&stored)),
        ["spec.a: Too long: may not be more than 1 byte"]
    );
}

#[test]
fn a_cause_carries_reason_message_and_field() {
    let schema = Schema::parse(
        &json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "string"}}}),
    )
    .unwrap();
    let found = schema.validate(&json!({}), None);
    assert_eq!(
        found[0].cause(),
        json!({"reason": "FieldValueRequired", "message": "Required value", "field": "spec"})
    );
}
