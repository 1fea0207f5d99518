//! Bodies of displays, read if they end in time.
//!
//! HTTP ensures that a body has the length that it announces, but sets no time limit. A timer for each body
//! would cost more than reading it. So an object checks all of its bodies ten times a second, and only while it
//! awaits one, because the platform bills an object that has a timer.

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

    /// Creates the list, still empty. Each body may take `ms` milliseconds.
    #[wasm_bindgen(constructor)]
    pub fn new(ms: u32) -> Bodies;

    /// Reads a body. The promise is rejected with `null` if that takes too long.
    #[wasm_bindgen(method)]
    pub fn read(this: &Bodies, request: &web_sys::Request) -> Promise;
}
