//! The files that pages download.

use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::Deployment;
use sha2::{Digest, Sha384};

#[test]
fn a_file_travels_in_the_best_encoding_that_the_client_takes() {
    let deployment = Deployment::start();
    let get = |accepted: &str| {
        deployment.request("GET", "/asklet.js").header("accept-encoding", accepted).get()
    };
    let plain = get("identity");
    assert_eq!((plain.status, plain.header("content-encoding")), (200, ""));

    // In this order: the front of Cloudflare's network takes the first one that it knows.
    let brotli = get("br, gzip, deflate, zstd");
    assert_eq!(brotli.header("content-encoding"), "br");
    let mut decoded = Vec::new();
    brotli::Decompressor::new(&brotli.body[..], 4096).read_to_end(&mut decoded).unwrap();
    assert_eq!(decoded, plain.body);

    let gzip = get("gzip");
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let mut decoded = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut decoded).unwrap();
    assert_eq!(decoded, plain.body);
    for answer in [plain, brotli, gzip] {
        assert_eq!(answer.header("vary"), "accept-encoding");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn the_entry_is_asked_for_again_and_answered_briefly() {
    let deployment = Deployment::start();
    let first = deployment.request("GET", "/asklet.js").get();
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let etag = first.header("etag").to_owned();
    let again = deployment.request("GET", "/asklet.js").header("if-none-match", &etag).get();
    assert_eq!((again.status, again.body.len()), (304, 0));
    let changed =
        deployment.request("GET", "/asklet.js").header("if-none-match", "\"other\"").get();
    assert_eq!(changed.status, 200);
}

#[test]
fn hashed_files_never_change_and_nothing_else_is_served() {
    let deployment = Deployment::start();
    let site = deployment.site();
    site.survey();
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    for (part, ending, media_type) in [
        ("when", "", "text/javascript; charset=utf-8"),
        ("widget", ".js", "text/javascript; charset=utf-8"),
        ("widget", ".wasm", "application/wasm"),
    ] {
        let name = format!("{}{ending}", config["files"][part].as_str().unwrap());
        let file = deployment.request("GET", &format!("/{name}")).get();
        assert_eq!((file.status, file.header("content-type")), (200, media_type));
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    }
    for path in ["/manifest.json", "/asklet.js.br", "/widget-0000000000000000.wasm"] {
        deployment.request("GET", path).get().problem(404, "not_found");
    }
}

#[test]
fn a_page_can_pin_the_scripts_by_their_digests() {
    let deployment = Deployment::start();
    // Where nothing is said, wrangler's proxy asks for brotli by itself.
    let digests =
        deployment.request("GET", "/integrity.json").header("accept-encoding", "identity");
    let digests = digests.get().expect(200);
    let digests = digests.as_object().unwrap();
    let mut pinned = None;
    for (name, digest) in digests {
        let file =
            deployment.request("GET", &format!("/{name}")).header("accept-encoding", "br").get();
        assert_eq!(file.header("content-type"), "text/javascript; charset=utf-8", "{name}");
        let mut content = Vec::new();
        brotli::Decompressor::new(&file.body[..], 4096).read_to_end(&mut content).unwrap();
        let expected = format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(&content)));
        assert_eq!(digest.as_str(), Some(&*expected), "{name}");
        if name.starts_with("asklet-") {
            assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
            pinned = Some(digest);
        }
    }
    // The moving address and the one that can be pinned lead to the same.
    assert_eq!(pinned, digests.get("asklet.js"));
    for name in ["debug.js", "asklet.js"] {
        assert!(digests.contains_key(name), "{name}");
    }
    for part in ["when-", "widget-", "frame-"] {
        assert!(digests.keys().any(|name| name.starts_with(part)), "{part}");
    }
}
