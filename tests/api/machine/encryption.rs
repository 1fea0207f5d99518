//! Identity secrets on the disk, with a key that does not lie beside them.

use harness::{ADMIN_TOKEN, Machine, display};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::erasure::{files_with, wait_until};
use crate::people::{claims, new_secret, now_seconds, token, with_plan};

const KEY: Option<&str> = Some("an encryption key of the tests, long enough");

#[test]
fn a_copy_of_the_data_signs_no_token_where_the_operator_gives_a_key() {
    let parent = TempDir::new().unwrap();
    let data = parent.path().join("data");
    let mut machine = Machine::open(&data, Some(ADMIN_TOKEN));
    let (site, key, collect, open, signed) = {
        let site = machine.site();
        let survey = site.publish(&with_plan());
        let (_, open) = new_secret(&site);
        let signed = token(&claims(&site, "u1", "pro"), &open);
        (site.id.clone(), site.key.clone(), survey.collect_path(0), open, signed)
    };
    assert!(files_with(&data, &open) > 0, "without a key it lies as it is");
    let secrets = format!("/v1/sites/{site}/identity-secrets");
    let send = |machine: &Machine, number: u8, token: &str| {
        let mut told = display(number, 1, "completed", json!({ "score": 9 }));
        told["identity"] = json!(token);
        let answer = machine.request("POST", &collect).json(&told);
        answer.expect(204);
        answer.header("asklet-identity").to_owned()
    };
    assert_eq!(send(&machine, 1, &signed), "");

    // What was stored before is encrypted when the team calls, and goes on signing.
    machine.restart_with_key(KEY);
    machine.request("GET", &format!("/v1/sites/{site}")).bearer(&key).get().expect(200);
    assert_eq!(send(&machine, 2, &signed), "");
    let made = machine.request("POST", &secrets).bearer(&key).send("").expect(201);
    let made = made["secret"].as_str().unwrap().to_owned();
    let mut claims: Value = json!({ "sub": "u2", "aud": site });
    claims["exp"] = json!(now_seconds() + 600);
    let fresh = token(&claims, &made);
    assert_eq!(send(&machine, 3, &fresh), "");
    machine.kill_and_restart();
    assert_eq!((send(&machine, 4, &signed), send(&machine, 5, &fresh)), Default::default());
    // Once the objects have slept nothing is left of it but what is encrypted.
    wait_until(|| files_with(&data, &made) == 0);

    // Without the key the secrets are lost, and no answer is.
    machine.restart_with_key(None);
    assert_eq!(send(&machine, 6, &fresh), "identity_signature");
}
