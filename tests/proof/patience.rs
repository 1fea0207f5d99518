//! A client that begins a body and falls silent is told so, and keeps nobody.

use harness::{Machine, Unfinished};

#[test]
fn a_body_that_does_not_come_to_an_end_is_given_up() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let headers = ["content-type: text/plain", "transfer-encoding: chunked"];
    let mut request = Unfinished::post(&machine, &survey.collect_path(0), &headers);
    request.send("1\r\n{\r\n");
    assert_eq!(request.status(), 408);
    assert_eq!(survey.summary()["n"], 0);
}
