//! The operator's settings for this deployment: its variables, and what is made from its secrets.

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
    // The platform may keep an isolate and change its variables. So each call reads the secret anew, and only
    // the seal made from the latest secret is kept.
    static LATEST: RefCell<Option<(String, Rc<Seal>)>> = const { RefCell::new(None) };
}

/// Returns the seal of this deployment.
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

/// Returns the vault that encrypts the identity secrets of this deployment.
pub fn vault(env: &Env) -> Result<Vault, Failure> {
    Vault::new(variable(env, vault::VARIABLE).as_deref())
}

/// Returns a variable of the deployment, or `None` if it is not set or empty. The `worker` crate's own function
/// is not used, since it treats a variable that is not set as an error.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()?;
    (!value.is_empty()).then_some(value)
}
