//! What was acknowledged survives.

use harness::{Deployment, display};
use serde_json::json;

#[test]
fn an_acknowledged_answer_survives_the_death_of_the_server() {
    let mut deployment = Deployment::start();
    let (path, key, collect) = {
        let site = deployment.site();
        let survey = site.survey();
        survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
        let path = format!("{}/{}/summary", site.surveys(), survey.id);
        (path, site.key.clone(), survey.collect_path(0))
    };
    deployment.kill_and_restart();
    let summary = || deployment.request("GET", &path).bearer(&key).get().expect(200);
    assert_eq!((&summary()["n"], &summary()["score"]), (&json!(1), &json!(100.0)));
    // The same display again, as a client sends it that never heard of the acknowledgement.
    let again = display(1, 1, "started", json!({ "score": 9 }));
    deployment.request("POST", &collect).json(&again).expect(204);
    assert_eq!(summary()["n"], 1);
}
