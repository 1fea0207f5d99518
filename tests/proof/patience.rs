//! A client that begins a body and falls silent is told so, and keeps nobody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use harness::Machine;

#[test]
fn a_body_that_does_not_come_to_an_end_is_given_up() {
    let machine = Machine::start();
    let site = machine.site();
    let survey = site.survey();
    let mut stream = TcpStream::connect(("127.0.0.1", machine.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: edge\r\ncontent-type: text/plain\r\n\
         transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n",
        survey.collect_path(0)
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert_eq!(survey.summary()["n"], 0);
}
