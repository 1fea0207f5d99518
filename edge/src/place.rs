//! Where the data of a site and of a survey lies. A site's id begins with its region, and only the
//! functions here turn ids into objects, so that data residency can come without moving anybody.

use wasm_bindgen::prelude::*;
use worker::js_sys::Reflect;
use worker::{Env, ObjectNamespace};

use crate::failure::Failure;
use crate::rpc::Object;
use crate::seal::{SiteId, SurveyId};

#[wasm_bindgen]
extern "C" {
    /// The objects' bindings, looked up by name in one step.
    type Bindings;

    #[wasm_bindgen(method, getter, js_name = DIRECTORY)]
    fn directories(this: &Bindings) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = SITE)]
    fn sites(this: &Bindings) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = SURVEY)]
    fn surveys(this: &Bindings) -> JsValue;
}

/// A variable of the deployment; `None` where it is not set, or empty. The platform's own way to ask
/// takes one that is not set for a fault.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string()?;
    (!value.is_empty()).then_some(value)
}

/// The object that knows which sites there are.
pub fn directory(env: &Env) -> Result<Object, Failure> {
    named(env, env.unchecked_ref::<Bindings>().directories(), "directory")
}

/// The object that keeps a site's settings, keys and definitions.
pub fn site(env: &Env, site: &SiteId) -> Result<Object, Failure> {
    named(env, env.unchecked_ref::<Bindings>().sites(), site.as_str())
}

/// The object that keeps the displays of one shard of a survey.
pub fn survey(env: &Env, site: &SiteId, survey: &SurveyId, shard: u16) -> Result<Object, Failure> {
    let name = format!("{site}/{survey}/{shard}");
    named(env, env.unchecked_ref::<Bindings>().surveys(), &name)
}

fn named(env: &Env, namespace: JsValue, name: &str) -> Result<Object, Failure> {
    Object::new(ObjectNamespace::unchecked_from_js(namespace).get_by_name(name)?, env)
}
