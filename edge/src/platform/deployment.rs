//! What the operator has set for this deployment: its variables and what is made of its secrets.

use std::cell::RefCell;
use std::rc::Rc;

use asklet_protocol::failure::Failure;
use asklet_protocol::seal::Seal;
use asklet_store::vault::{self, Vault};
use wasm_bindgen::prelude::*;
use worker::Env;
use worker::js_sys::Reflect;

#[wasm_bindgen]
extern "C" {
    /// The deployment's variables, looked up by name in one step.
    type Secrets;

    #[wasm_bindgen(method, getter, js_name = ASKLET_SECRET)]
    fn asklet_secret(this: &Secrets) -> Option<String>;
}

thread_local! {
    // The platform may keep an isolate and change its variables, so the secret is asked for each
    // time, and what is made from it is kept.
    static LATEST: RefCell<Option<(String, Rc<Seal>)>> = const { RefCell::new(None) };
}

/// The seal of this deployment.
pub fn seal(env: &Env) -> Result<Rc<Seal>, Failure> {
    let secret = env.unchecked_ref::<Secrets>().asklet_secret().unwrap_or_default();
    LATEST.with_borrow_mut(|latest| {
        if let Some((known, seal)) = latest
            && *known == secret
        {
            return Ok(seal.clone());
        }
        let seal = Rc::new(Seal::new(&secret)?);
        *latest = Some((secret, seal.clone()));
        Ok(seal)
    })
}

/// What encrypts the identity secrets of this deployment.
pub fn vault(env: &Env) -> Result<Vault, Failure> {
    Vault::new(variable(env, vault::VARIABLE).as_deref())
}

/// A variable of the deployment; `None` where it is not set, or empty. The platform's own way to ask
/// takes one that is not set for a fault.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()?;
    (!value.is_empty()).then_some(value)
}
