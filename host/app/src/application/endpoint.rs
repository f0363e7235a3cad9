//! An endpoint of a checked application: which requests it takes, and what they become.
//!
//! Owns its resolved form and its defaults. Serves nothing.

use std::time::Duration;

use lunarium_engine::SecuritySpec;
use lunarium_kernel::{EntryId, HostId};

use crate::notation::{HttpMethod, PathPattern};

/// Requests from outside that become processes or calls.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its id.
    pub id: EntryId,
    /// The paths of its requests.
    pub path: PathPattern,
    /// Their methods, one at least; `GET` by default. With `GET` it takes `HEAD`, too.
    pub methods: Vec<HttpMethod>,
    /// What a request becomes.
    pub action: EndpointAction,
    /// How long an answer may take from when the request is there; 10 s by default. At the limit: the process is terminated, and 504.
    pub timeout: Duration,
    /// Bytes of a request's body; 256 KiB by default, or what a message has room for where that is less. At the limit: 413.
    pub max_body: u64,
}

/// What a request becomes.
#[derive(Debug, Clone)]
pub enum EndpointAction {
    /// A process of its own.
    Process {
        /// What it runs.
        entry: EntryId,
        /// Where it runs.
        host: HostId,
        /// Another actor, another scope or both than its host's.
        security: Option<SecuritySpec>,
    },
    /// A call of a service.
    Call {
        /// The service.
        service: EntryId,
        /// Which function.
        function: String,
    },
}

impl Endpoint {
    /// How long an answer may take.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
    /// Bytes of a body.
    pub(crate) const MAX_BODY: u64 = 256 << 10;
    /// What a request has beside its body at most: a head of 16 KiB, whose path, query and names appear in it twice.
    pub(crate) const BESIDE_BODY: u64 = 64 << 10;
    /// The function of a service that is called where none is named.
    pub(crate) const FUNCTION: &'static str = "handle";
    /// Endpoints of an application. At the limit: a mistake. More than anybody reads, and looked through in no time.
    pub(crate) const MOST: usize = 1_000;

    /// Whether it takes requests of this method.
    pub fn takes(&self, method: HttpMethod) -> bool {
        self.methods.contains(&method) || (method == HttpMethod::Head && self.methods.contains(&HttpMethod::Get))
    }
}
