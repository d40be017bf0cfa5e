//! Which definitions an API server takes.

use serde_json::{Value, json};

use crate::kube::schema::Schema;

fn refusals(spec: &Value) -> Vec<String> {
    let root = json!({"type": "object", "properties": {"spec": spec}});
    Schema::parse(&root).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn schemas_that_are_not_structural_are_refused() {
    let cases = [
        (json!({}), ".type: Required value: must not be empty for specified object fields"),
        (
            json!({"type": "text"}),
            ".type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        ),
        (json!({"type": "array"}), ".items: Required value: must be specified"),
        (
            json!({"type": "array", "items": {}}),
            ".items.type: Required value: must not be empty for specified array items",
        ),
        (
            json!({"type": "array", "items": [{"type": "string"}]}),
            ".items: Forbidden: items must be a schema object and not an array",
        ),
        (
            json!({"type": "array", "uniqueItems": true, "items": {"type": "string"}}),
            ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            json!({"type": "string", "oneOf": [{"type": "string"}]}),
            ".oneOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            json!({"type": "object", "not": {"properties": {"a": {"minLength": 1}}}}),
            ".properties[a]: Required value: because it is defined in openAPIV3Schema.properties[spec].not.properties[a]",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"properties": {"a": {"default": "x"}}}]}),
            ".anyOf[0].properties[a].default: Forbidden: must be undefined to be structural",
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            ".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            ".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            json!({"type": "object", "x-kubernetes-embedded-resource": true}),
            ".properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ),
        (json!({"type": "object", "$ref": "#/definitions/a"}), ".$ref: Forbidden: $ref is not supported"),
        (json!({"type": "string", "maxLenght": 3}), ".maxLenght: Forbidden: unknown field \"maxLenght\""),
        (
            json!({"type": "string", "pattern": "("}),
            ".pattern: Invalid value: \"(\": must be a valid regular expression, but isn't",
        ),
        (
            json!({"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}),
            ".x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": {"type": "object", "properties": {"k": {"type": "string"}}}}),
            ".items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
        ),
        (
            json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}),
            ".items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
    ];
    for (spec, expected) in cases {
        let found = refusals(&spec);
        let expected = format!("openAPIV3Schema.properties[spec]{expected}");
        assert!(
            found.iter().any(|line| line.starts_with(&expected)),
            "{spec}: {found:#?}\nwanted {expected}"
        );
    }
}

#[test]
fn the_root_is_an_object_without_a_say_in_metadata() {
    let cases = [
        (
            json!({"type": "string"}),
            "openAPIV3Schema.type: Invalid value: \"string\": must be object at the root",
        ),
        (
            json!({"type": "object", "additionalProperties": true}),
            "openAPIV3Schema.additionalProperties: Forbidden: must not be used at the root",
        ),
        (
            json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
            "openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
        ),
    ];
    for (root, expected) in cases {
        let found = Schema::parse(&root).unwrap_err();
        assert!(found.iter().any(|error| error.to_string() == expected), "{found:#?}");
    }
}

#[test]
fn int_or_string_may_name_its_two_types() {
    let union = json!([{"type": "integer"}, {"type": "string"}]);
    assert!(refusals(&json!({"x-kubernetes-int-or-string": true, "anyOf": union})).is_empty());
    assert!(
        refusals(
            &json!({"x-kubernetes-int-or-string": true, "allOf": [{"anyOf": union}, {"pattern": "^.$"}]})
        )
        .is_empty()
    );
    assert!(!refusals(&json!({"type": "string", "anyOf": union})).is_empty());
}

#[test]
fn a_default_must_satisfy_its_own_schema() {
    let cases = [
        (
            json!({"type": "string", "default": 1}),
            ".default: Invalid value: \"integer\":  in body must be of type string: \"integer\"",
        ),
        (
            json!({"type": "string", "default": "B", "enum": ["A"]}),
            ".default: Unsupported value: \"B\": supported values: \"A\"",
        ),
        (
            json!({"type": "object", "default": {"x": 1}}),
            ".default: Invalid value: {\"x\":1}: must not have unknown fields",
        ),
        (
            json!({"type": "object", "default": {}, "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}}),
            ".default.a: Required value",
        ),
        (
            json!({"type": "integer", "default": 3, "x-kubernetes-validations": [{"rule": "self > 5", "message": "too small"}]}),
            ".default: Invalid value: 3: too small",
        ),
    ];
    for (spec, expected) in cases {
        let found = refusals(&spec);
        assert_eq!(found, [format!("openAPIV3Schema.properties[spec]{expected}")], "{spec}");
    }
    assert!(
        refusals(
            &json!({"type": "integer", "default": 6, "x-kubernetes-validations": [{"rule": "self > 5"}]})
        )
        .is_empty()
    );
}

#[test]
fn rules_that_cannot_work_are_refused() {
    let spec = |rule: Value| {
        json!({"type": "object", "x-kubernetes-validations": [rule], "properties": {
            "name": {"type": "string"}, "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"x-kubernetes-preserve-unknown-fields": true}, "no-de": {"type": "string"},
        }})
    };
    let cases = [
        (json!({"rule": ""}), "rule: Required value: rule is not specified"),
        (json!({"rule": "self.name ="}), "rule: Invalid value: \"self.name =\": compilation failed: "),
        (
            json!({"rule": "self.nmae == 'a'"}),
            "rule: Invalid value: \"self.nmae == 'a'\": compilation failed: ERROR: undefined field 'nmae'",
        ),
        (
            json!({"rule": "has(self.any)"}),
            "rule: Invalid value: \"has(self.any)\": compilation failed: ERROR: undefined field 'any'",
        ),
        (
            json!({"rule": "self.list.all(i, i.b == '')"}),
            "rule: Invalid value: \"self.list.all(i, i.b == '')\": compilation failed: ERROR: undefined field 'b'",
        ),
        (
            json!({"rule": "self.name.first == ''"}),
            "rule: Invalid value: \"self.name.first == ''\": compilation failed: ERROR: type 'string' does not support field selection",
        ),
        (
            json!({"rule": "object.name == ''"}),
            "rule: Invalid value: \"object.name == ''\": compilation failed: ERROR: undeclared reference to 'object'",
        ),
        (
            json!({"rule": "self.name.shout() == ''"}),
            "rule: Invalid value: \"self.name.shout() == ''\": compilation failed: ERROR: undeclared reference to 'shout'",
        ),
        (
            json!({"rule": "self['name'] == ''"}),
            "rule: Invalid value: \"self['name'] == ''\": compilation failed: ERROR: found no matching overload",
        ),
        (
            json!({"rule": "math.abs(1) == 1"}),
            "rule: Invalid value: \"math.abs(1) == 1\": compilation failed: ERROR: undeclared reference to 'math.abs'",
        ),
        (
            json!({"rule": "self.list\n== []"}),
            "message: Required value: message must be specified if rule contains line breaks",
        ),
        (
            json!({"rule": "true", "message": "a\nb"}),
            "message: Invalid value: \"a\\nb\": must not contain line breaks",
        ),
        (json!({"rule": "true", "reason": "Because"}), "reason: Unsupported value: \"Because\""),
        (
            json!({"rule": "true", "fieldPath": ".other"}),
            "fieldPath: Invalid value: \".other\": must be a valid path",
        ),
        (
            json!({"rule": "true", "optionalOldSelf": true}),
            "optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
        (
            json!({"rule": "true", "messageExpression": "self.x"}),
            "messageExpression: Invalid value: \"self.x\": messageExpression compilation failed: ERROR: undefined field 'x'",
        ),
    ];
    for (rule, expected) in cases {
        let found = refusals(&spec(rule));
        let expected = format!("openAPIV3Schema.properties[spec].x-kubernetes-validations[0].{expected}");
        assert!(found.iter().any(|line| line.starts_with(&expected)), "{found:#?}\nwanted {expected}");
    }
    for rule in [
        "self.list.all(i, has(i.a) && i.a.startsWith('a'))",
        "self.list[0].a == '' || self.labels.exists(k, self.labels[k] == 'x') || self.labels.whatever == ''",
        "self.no__dash__de == '' && sets.contains(['a'], [self.name])",
        "self.?name.orValue('') == '' || self.labels[?'x'].hasValue()",
    ] {
        assert_eq!(refusals(&spec(json!({"rule": rule}))), Vec::<String>::new(), "{rule}");
    }
}

#[test]
fn transition_rules_are_refused_where_old_values_cannot_be_found() {
    let items = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}, "x-kubernetes-validations": [{"rule": "self == oldSelf"}]});
    let atomic = refusals(&json!({"type": "array", "items": items}));
    assert_eq!(
        atomic,
        [
            "openAPIV3Schema.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: \"self == oldSelf\": oldSelf cannot be used on the uncorrelatable portion of the schema within openAPIV3Schema.properties[spec]"
        ]
    );
    let map = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": items});
    assert!(refusals(&map).is_empty());
}
