//! The bodies of a definition: what the widget shows of it, one in each language, addressed by its digest.

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::body::Body;
use asklet_shared::definition::Definition;
use asklet_shared::settings::Look;

/// A body in one language, as it travels.
pub struct EncodedBody {
    /// The language.
    pub language: String,
    /// Its address.
    pub digest: String,
    /// The body in postcard.
    pub bytes: Vec<u8>,
}

/// The bodies of a definition, one in each language that it speaks, its own first, as the site looks.
pub fn of(definition: &Definition, look: &Look) -> Result<Vec<EncodedBody>, Failure> {
    let encode = |language: &str| {
        let bytes = encode(definition, look, language)?;
        let digest = seal::short_digest(&bytes);
        Ok(EncodedBody { language: language.to_owned(), digest, bytes })
    };
    definition.languages().into_iter().map(encode).collect()
}

/// The body of a definition in one language, as it travels.
pub fn encode(definition: &Definition, look: &Look, language: &str) -> Result<Vec<u8>, Failure> {
    let bytes = Body::of(definition, look, language).encode();
    bytes.map_err(|error| Failure::broken(format!("a body does not encode: {error}")))
}

/// The languages of a definition, its own first, with the digests of their bodies.
pub fn digests(definition: &Definition, look: &Look) -> Result<Vec<(String, String)>, Failure> {
    let bodies = of(definition, look)?.into_iter();
    Ok(bodies.map(|body| (body.language, body.digest)).collect())
}
