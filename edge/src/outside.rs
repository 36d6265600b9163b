//! The world around one request, as a trait: time, chance, the network, the log, and the platform's own requests and answers.
//!
//! The `platform` implements it in WebAssembly, and the tests do natively. Nothing that decides anything stands behind it.

use wardgate_shared::jwk::PublicJwk;
use wardgate_shared::jwt::{SignatureAlgorithm, VerifyingKey};
use wardgate_shared::time::Timestamp;

use crate::answer::OwnAnswer;
use crate::body::BodyError;
use crate::error::UpstreamFailure;
use crate::log::FetchFailure;
use crate::proxy::forward::Forward;

/// The world around one request. The platform implements it, and so do the tests.
pub trait Outside: Clone + 'static {
    /// A key that verifies.
    type Key: VerifyingKey + Clone + 'static;
    /// An answer in the platform's form, its body included.
    type Response;
    /// Why the platform could not make or send something. Nothing of it reaches the client.
    type Failure;

    /// The time.
    fn now(&self) -> Timestamp;
    /// The time, in milliseconds since the Unix epoch.
    fn now_milliseconds(&self) -> u64;
    /// Unpredictable bytes.
    fn random_bytes(&self) -> [u8; 16];
    /// Waits.
    fn pause(&self, milliseconds: u32) -> impl Future<Output = ()>;
    /// Fetches a document of at most so many bytes by GET, without following redirects.
    fn fetch_document(
        &self,
        url: &str,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> impl Future<Output = Result<Vec<u8>, FetchFailure>>;
    /// Sends a form to an issuer by POST, without following redirects. Gives the status and the body, of at most so many bytes.
    fn post_form(
        &self,
        url: &str,
        form: &str,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> impl Future<Output = Result<(u16, Vec<u8>), FetchFailure>>;
    /// Unpacks a ZLIB stream (RFC 1950) to at most so many bytes; `None` for anything else, and for more. The platform has the
    /// means, so that the Worker need not bring its own.
    fn inflate(&self, packed: &[u8], maximum_bytes: u32) -> impl Future<Output = Option<Vec<u8>>>;
    /// Asks the coordinator of this name, and gives its answer unless there is none in time.
    fn ask_coordinator(
        &self,
        name: &str,
        question: &[u8],
        timeout_milliseconds: u32,
    ) -> impl Future<Output = Option<Vec<u8>>>;
    /// Asks a limit of the platform's, by the name under which it is bound, whether it admits one more of this key. `None` when it
    /// does not say so in time.
    fn ask_platform_limit(
        &self,
        binding: &str,
        key: &str,
        timeout_milliseconds: u32,
    ) -> impl Future<Output = Option<bool>>;
    /// Makes a published key one that verifies.
    fn import_key(
        &self,
        jwk: &PublicJwk,
        algorithm: SignatureAlgorithm,
    ) -> impl Future<Output = Result<Self::Key, Self::Failure>>;
    /// Starts `work` so that it goes on when the request is over. What is given ends with it and need not be awaited.
    fn in_background(&self, work: impl Future<Output = ()> + 'static) -> impl Future<Output = ()>;
    /// Sends the request to the FHIR server and gives the status and the answer, its headers edited.
    fn forward(
        &self,
        forward: &Forward<'_>,
    ) -> impl Future<Output = Result<(u16, Self::Response), UpstreamFailure>>;
    /// Reads the body of the request, up to a number of bytes. The same bytes are forwarded.
    fn read_request(
        &self,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> impl Future<Output = Result<Vec<u8>, BodyError>>;
    /// Reads the body of an answer if it is JSON, up to a number of bytes. `None` for another media type, whose body is left.
    fn read_json(
        &self,
        response: &Self::Response,
        timeout_milliseconds: u32,
        maximum_bytes: u32,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, UpstreamFailure>>;
    /// An answer with this body in the place of the one that was read, without the headers that spoke of that one.
    ///
    /// # Errors
    /// The platform's own.
    fn with_body(&self, response: Self::Response, body: &[u8]) -> Result<Self::Response, Self::Failure>;
    /// An answer with the body that was read of it by [`Outside::read_json`], without it where the client asked by `HEAD`.
    ///
    /// # Errors
    /// The platform's own.
    fn with_read_body(&self, response: Self::Response) -> Result<Self::Response, Self::Failure>;
    /// The version of what was answered, if the server says one.
    fn etag(&self, response: &Self::Response) -> Option<String>;
    /// Lets go of an answer that is not passed on.
    fn discard(&self, response: Self::Response);
    /// Makes an answer, and lets go of what has not been read of the request's body.
    ///
    /// # Errors
    /// The platform's own.
    fn respond(&self, answer: &OwnAnswer) -> Result<Self::Response, Self::Failure>;
    /// Adds a data point to a dataset of the platform's, by the name under which it is bound. Whether it arrives nobody knows.
    fn write_data_point(&self, binding: &str, words: &[&str], milliseconds: u32);
    /// Writes a line to the log.
    fn log(&self, line: &str);
}
