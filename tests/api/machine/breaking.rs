//! What a reader sees where a shard breaks.

use std::io::Read;

use asklet_shared::display_id::DisplayId;
use harness::Machine;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::responses::{import, line};

#[test]
fn an_export_says_where_a_shard_broke_so_that_nobody_takes_a_part_for_the_whole() {
    let mut machine = Machine::start();
    let (path, key) = {
        let site = machine.site();
        let survey = site.survey();
        survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
        let lines = |from: u64| (from..from + 3_000).map(|number| line(number, 9, "fine"));
        import(&survey, 0, &lines(0).collect::<Vec<_>>());
        import(&survey, 1, &lines(3_000).collect::<Vec<_>>());
        (format!("{}/{}/export", site.surveys(), survey.id), site.key.clone())
    };
    let whole = machine.request("GET", &path).bearer(&key).get();
    assert_eq!(whole.body.iter().filter(|byte| **byte == b'\n').count(), 6_000);
    let last: DisplayId = line(5_999, 9, "")["id"].as_str().unwrap().parse().unwrap();
    let databases = machine.databases();
    machine.restart_after(|| {
        let broken = databases.iter().filter(|database| {
            let database = Connection::open(database).unwrap();
            let last_one = "UPDATE display SET facts = '{' WHERE id = ?";
            // Only shards have such a table.
            database.execute(last_one, [last.as_bytes()]) == Ok(1)
        });
        assert_eq!(broken.count(), 1);
    });
    // Its last line says so, for who keeps the file, and the connection breaks, for who reads it.
    let broken = |query: &str| {
        let mut answer = machine.request("GET", &format!("{path}{query}")).bearer(&key).stream();
        let mut came = Vec::new();
        answer.read_to_end(&mut came).expect_err("the connection breaks");
        String::from_utf8(came).unwrap()
    };
    let (lines, csv) = (broken(""), broken("?format=csv"));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, told) = lines.split_last().unwrap();
    assert_eq!(last["problem"]["code"], "internal");
    assert!((3_000..6_000).contains(&told.len()), "{}", told.len());
    assert!(told.iter().all(|response| response["answers"]["score"] == 9));
    assert!(csv.ends_with("\r\nthe export broke off here: what came is not the whole\r\n"));
    assert!(csv::Reader::from_reader(csv.as_bytes()).records().last().unwrap().is_err());
    // What fails at once is told.
    let page = path.replace("export", "responses?limit=1");
    machine.request("GET", &page).bearer(&key).get().problem(500, "internal");
}

#[test]
fn what_one_shard_has_stored_is_told_where_another_one_breaks() {
    let mut machine = Machine::start();
    let (survey, key) = {
        let site = machine.site();
        let survey = site.survey();
        survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
        import(&survey, 0, &[line(1, 9, "")]);
        import(&survey, 1, &[line(2, 9, "")]);
        (format!("{}/{}", site.surveys(), survey.id), site.key.clone())
    };
    let id: DisplayId = line(2, 9, "")["id"].as_str().unwrap().parse().unwrap();
    let databases = machine.databases();
    machine.restart_after(|| {
        let broken = databases.iter().filter(|database| {
            let database = Connection::open(database).unwrap();
            let find = "SELECT count(*) FROM display WHERE id = ?";
            let found = database.query_row(find, [id.as_bytes()], |row| row.get::<_, u32>(0));
            let is_there = found == Ok(1);
            for table in ["display", "published"].iter().filter(|_| is_there) {
                let trigger = format!(
                    "CREATE TRIGGER broken_{table} BEFORE INSERT ON {table}
                     BEGIN SELECT RAISE(ABORT, 'broken'); END"
                );
                database.execute(&trigger, []).unwrap();
            }
            is_there
        });
        assert_eq!(broken.count(), 1);
    });
    let post = |below: &str, lines: &[Value]| {
        let lines = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        machine.request("POST", &format!("{survey}{below}")).bearer(&key).send(&lines)
    };
    let imported = post("/import?shard=1", &[line(1, 9, ""), line(3, 9, "")]).expect(200);
    assert_eq!((&imported["known"], &imported["refused"]), (&json!(1), &json!(1)));
    let problem = &imported["problems"][0];
    assert_eq!((&problem["line"], &problem["problem"]["code"]), (&json!(2), &json!("busy")));
    // Nothing is known to be stored, so all of it is worth repeating.
    let answer = post("/import?shard=1", &[line(3, 9, "")]);
    answer.problem(503, "busy");
    assert_eq!(answer.header("retry-after"), "30");
    // The shard is told when it can be.
    assert_eq!(post("/publish", &[]).expect(200)["version"], 2);
    let record = machine.request("GET", &survey).bearer(&key).get().expect(200);
    assert_eq!((&record["version"], &record["status"]), (&json!(2), &json!("live")));
}
