//! The bodies of a definition: what the widget shows of it, one body in each language, addressed by its digest.

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::body::Body;
use asklet_shared::definition::Definition;
use asklet_shared::settings::Look;

/// A body in one language, in the form in which it is sent.
pub struct EncodedBody {
    /// The language.
    pub language: String,
    /// The digest of the body, which is its address.
    pub digest: String,
    /// The body in postcard.
    pub bytes: Vec<u8>,
}

/// Encodes the bodies of a definition with the site's look, one in each language of the definition, its main
/// language first.
pub fn of(definition: &Definition, look: &Look) -> Result<Vec<EncodedBody>, Failure> {
    let encode = |language: &str| {
        let bytes = encode(definition, look, language)?;
        let digest = seal::short_digest(&bytes);
        Ok(EncodedBody { language: language.to_owned(), digest, bytes })
    };
    definition.languages().into_iter().map(encode).collect()
}

/// Encodes the body of a definition in one language.
pub fn encode(definition: &Definition, look: &Look, language: &str) -> Result<Vec<u8>, Failure> {
    let bytes = Body::of(definition, look, language).encode();
    bytes.map_err(|error| Failure::broken(format!("a body does not encode: {error}")))
}

/// Returns the languages of a definition, its main language first, with the digests of their bodies.
pub fn digests(definition: &Definition, look: &Look) -> Result<Vec<(String, String)>, Failure> {
    let bodies = of(definition, look)?.into_iter();
    Ok(bodies.map(|body| (body.language, body.digest)).collect())
}
