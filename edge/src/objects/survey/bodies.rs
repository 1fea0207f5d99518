//! Bodies of displays, read as long as they come to an end in time.
//!
//! HTTP holds a body to the length that it announces, but not to any time. A timer for each would cost
//! more than reading it, so an object looks after all of them ten times a second, and only while one is
//! awaited: an object with a timer is one that the platform bills.

use wasm_bindgen::prelude::*;
use worker::js_sys::Promise;
use worker::web_sys;

#[wasm_bindgen(inline_js = "
export class Bodies {
  constructor(ms) {
    this.ms = ms;
    this.awaited = new Set();
    this.look = () => {
      const now = Date.now();
      for (const one of this.awaited) {
        if (one.until > now) break;
        this.awaited.delete(one);
        one.reject(null);
      }
      this.timer = this.awaited.size > 0 && setTimeout(this.look, 100);
    };
  }

  read(request) {
    return new Promise((resolve, reject) => {
      const one = { until: Date.now() + this.ms, reject };
      this.awaited.add(one);
      this.timer ||= setTimeout(this.look, 100);
      const end = (settle) => (value) => {
        this.awaited.delete(one);
        settle(value);
      };
      request.arrayBuffer().then(end(resolve), end(reject));
    });
  }
}
")]
extern "C" {
    /// The bodies that an object awaits.
    pub type Bodies;

    /// None yet; each may take so many milliseconds.
    #[wasm_bindgen(constructor)]
    pub fn new(ms: u32) -> Bodies;

    /// Reads one; it rejects with `null` where that takes too long.
    #[wasm_bindgen(method)]
    pub fn read(this: &Bodies, request: &web_sys::Request) -> Promise;
}
