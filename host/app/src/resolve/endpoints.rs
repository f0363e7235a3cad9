//! From `http.endpoint` to endpoints.
//!
//! Owns that what they name is there, that a request fits into a message of who gets it, and that no request is wanted by two.

use lunarium_kernel::{EntryId, HostId, Limits};

use super::resolver::Resolver;
use crate::application::{DEFAULT_HOST, Endpoint, EndpointAction, Host};
use crate::notation::HttpMethod;
use crate::raw::{Kind, RawBody, RawEndpoint, RawEntry};
use crate::report::Mistake;
use crate::source::At;

impl Resolver<'_> {
    /// The endpoints that can be used.
    pub(super) fn endpoints(&mut self, hosts: &[Host]) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for entry in self.entries {
            let RawBody::Endpoint(raw) = &entry.body else { continue };
            let action = self.action(entry, raw, hosts);
            let (Some(action), Some(path)) = (action, &raw.path) else { continue };
            let room = self.room(&action, hosts);
            let methods = if raw.methods.is_empty() { vec![HttpMethod::Get] } else { raw.methods.clone() };
            endpoints.push(Endpoint {
                id: EntryId::new(entry.id()),
                path: path.value.clone(),
                methods,
                action,
                timeout: raw.timeout.unwrap_or(Endpoint::TIMEOUT),
                max_body: self.max_body(raw, room),
            });
        }
        self.check_overlaps(&endpoints);
        endpoints
    }

    fn action(&mut self, entry: &RawEntry, raw: &RawEndpoint, hosts: &[Host]) -> Option<EndpointAction> {
        // Both are looked at, whatever is wrong with one.
        let process = raw.process.as_ref().and_then(|id| self.find(id, &[Kind::Process]).map(|_| id));
        let service = raw.call.as_ref().and_then(|id| self.find(id, &[Kind::Service]).map(|_| id));
        let security = self.security(raw.security.as_ref());
        if let Some(service) = service {
            let function = raw.function.clone().unwrap_or_else(|| Endpoint::FUNCTION.to_owned());
            return Some(EndpointAction::Call { service: EntryId::new(service.value.as_str()), function });
        }
        let named = raw.host.as_ref().map(|host| self.host_exists(host).then(|| HostId::new(host.value.as_str())));
        let process = process?;
        let host = match (named, hosts) {
            (Some(host), _) => host?,
            (None, [only]) => only.definition.id.clone(),
            (None, _) => {
                let ids: Vec<&str> = hosts.iter().map(|host| host.definition.id.as_str()).collect();
                let message = format!("endpoint `{}` lacks `host`: there are {} process hosts", entry.id(), ids.len());
                let hint = format!("name one: `{}`", ids.first().copied().unwrap_or(DEFAULT_HOST));
                self.report.push(Mistake::new(message).at(&entry.id.place).hint(Some(hint)));
                return None;
            }
        };
        Some(EndpointAction::Process { entry: EntryId::new(process.value.as_str()), host, security })
    }

    /// Bytes that a message of who gets the requests has for a body.
    fn room(&self, action: &EndpointAction, hosts: &[Host]) -> u64 {
        let (entry, host) = match action {
            EndpointAction::Process { entry, host, .. } => (entry.as_str(), host.as_str()),
            EndpointAction::Call { service, .. } => {
                let raw = self.entry(service.as_str()).and_then(RawEntry::service);
                let text = |id: Option<&At<String>>| id.map_or("", |id| id.value.as_str()).to_owned();
                let (process, host) = raw.map_or((None, None), |raw| (raw.process.as_ref(), raw.host.as_ref()));
                return self.room_of(&text(process), &text(host), hosts);
            }
        };
        self.room_of(entry, host, hosts)
    }

    fn room_of(&self, entry: &str, host: &str, hosts: &[Host]) -> u64 {
        let of_host = hosts.iter().find(|known| known.definition.id.as_str() == host);
        let of_host = of_host.map_or_else(Limits::default, |host| host.definition.limits.clone());
        let of_entry = self.entry(entry).and_then(|entry| match &entry.body {
            RawBody::Process(process) => Some(process.limits.clone()),
            _ => None,
        });
        let limits = Limits::resolve(&of_host, &of_entry.unwrap_or_default(), None);
        u64::from(limits.message).saturating_sub(Endpoint::BESIDE_BODY)
    }

    fn max_body(&mut self, raw: &RawEndpoint, room: u64) -> u64 {
        let Some(stated) = &raw.max_body else { return Endpoint::MAX_BODY.min(room) };
        if stated.value > room {
            let (limit, beside) = (room.saturating_add(Endpoint::BESIDE_BODY), Endpoint::BESIDE_BODY);
            let message = format!(
                "`max_body` of {} bytes and {beside} for the rest of a request are more than a message of its process may have, {limit}",
                stated.value
            );
            let hint =
                "lower it, or raise the limit `message` of the process host (and of the entry, if that states one)";
            self.report.push(Mistake::new(message).at(&stated.place).hint(Some(hint.to_owned())));
        }
        stated.value
    }

    /// Reports each endpoint that wants a request that an earlier one wants, too.
    fn check_overlaps(&mut self, endpoints: &[Endpoint]) {
        let place = |endpoint: &Endpoint| {
            let RawBody::Endpoint(raw) = &self.entry(endpoint.id.as_str())?.body else { return None };
            raw.path.as_ref().map(|path| path.place.clone())
        };
        if let Some(one) = endpoints.get(Endpoint::MOST) {
            let message = format!("the application has {} endpoints; {} are the most", endpoints.len(), Endpoint::MOST);
            let mistake = Mistake::new(message);
            self.report.push(place(one).into_iter().fold(mistake, |mistake, place| mistake.at(&place)));
            return;
        }
        let mut mistakes = Vec::new();
        for (number, later) in endpoints.iter().enumerate() {
            let earlier = endpoints.iter().take(number);
            let both =
                |one: &Endpoint| HttpMethod::ALL.into_iter().find(|method| one.takes(*method) && later.takes(*method));
            let wanted = earlier.filter(|one| one.path.is_unclear_beside(&later.path));
            let Some((one, method)) = wanted.filter_map(|one| Some((one, both(one)?))).next() else { continue };
            let message = format!(
                "endpoints `{}` and `{}` want the same requests: {} of `{}` and of `{}`",
                one.id,
                later.id,
                method.as_str(),
                one.path,
                later.path
            );
            let (Some(first), Some(second)) = (place(one), place(later)) else { continue };
            mistakes.push(Mistake::new(message).at(&second).related(&first, "the other one"));
        }
        mistakes.into_iter().for_each(|mistake| self.report.push(mistake));
    }
}
