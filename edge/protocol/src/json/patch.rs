//! JSON Merge Patch (RFC 7396): members that a patch names are changed, `null` removes a member, and the rest
//! stays.

use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::DEFINITION_LIMIT;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// The members that a patch changes.
pub type Patch = Map<String, Value>;

/// Returns a value with a patch applied. Refuses a result that is not of the value's type, or that is too large
/// to be sent as a whole. A value that is too large already can still be made shorter.
pub fn patched<T: Serialize + DeserializeOwned>(value: &T, patch: Patch) -> Result<T, Failure> {
    let mut json = serde_json::to_value(value)?;
    let before = json.to_string().len();
    merge(&mut json, Value::Object(patch));
    let json = json.to_string();
    if json.len() > DEFINITION_LIMIT.max(before) {
        return Err(Problem::new(Code::BodyTooLarge, "the result of the patch is too large")
            .limit(format!("{DEFINITION_LIMIT} bytes"))
            .into());
    }
    Ok(crate::json::read_sent(json.as_bytes())?)
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(members) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn many_small_patches_do_not_make_a_large_whole() {
        let mut whole: Map<String, Value> = Map::new();
        let grow = |whole: &Map<String, Value>, name: &str| {
            let more = json!({ name: "x".repeat(DEFINITION_LIMIT / 3) });
            patched(whole, more.as_object().unwrap().clone())
        };
        for name in ["a", "b"] {
            whole = grow(&whole, name).unwrap();
        }
        assert!(
            matches!(grow(&whole, "c"), Err(Failure::Problem(problem)) if problem.code == Code::BodyTooLarge)
        );
        // A value that was stored before the limit existed can become shorter.
        whole.insert("old".to_owned(), json!("x".repeat(DEFINITION_LIMIT)));
        let shorter = json!({ "a": null });
        whole = patched(&whole, shorter.as_object().unwrap().clone()).unwrap();
        assert!(!whole.contains_key("a"));
    }

    #[test]
    fn patches_do_what_the_examples_of_the_rfc_say() {
        // RFC 7396, appendix A.
        for (mut target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge(&mut target, patch.clone());
            assert_eq!(target, result, "{patch}");
        }
    }
}
