//! The objects that hold the data of sites and surveys. A site's id begins with its region, and only the
//! functions here turn ids into objects. So data residency can be added later without moving any site.

use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use wasm_bindgen::prelude::*;
use worker::ObjectNamespace;

use super::rpc::Object;
use super::trace::Context;

#[wasm_bindgen]
extern "C" {
    /// The bindings of the objects, looked up by name in one step.
    type Bindings;

    #[wasm_bindgen(method, getter, js_name = DIRECTORY)]
    fn directories(this: &Bindings) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = SITE)]
    fn sites(this: &Bindings) -> JsValue;

    #[wasm_bindgen(method, getter, js_name = SURVEY)]
    fn surveys(this: &Bindings) -> JsValue;
}

/// Returns the object that knows which sites exist.
pub fn directory(context: &Context) -> Result<Object, Failure> {
    named(context, context.unchecked_ref::<Bindings>().directories(), "directory")
}

/// Returns the object that keeps a site's settings, keys and definitions.
pub fn site(context: &Context, site: &SiteId) -> Result<Object, Failure> {
    named(context, context.unchecked_ref::<Bindings>().sites(), site.as_str())
}

/// Returns the object that keeps the displays of one shard of a survey.
pub fn survey(
    context: &Context,
    site: &SiteId,
    survey: &SurveyId,
    shard: u16,
) -> Result<Object, Failure> {
    let name = format!("{site}/{survey}/{shard}");
    named(context, context.unchecked_ref::<Bindings>().surveys(), &name)
}

fn named(context: &Context, namespace: JsValue, name: &str) -> Result<Object, Failure> {
    Object::new(ObjectNamespace::unchecked_from_js(namespace).get_by_name(name)?, context)
}
