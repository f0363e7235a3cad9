//! A reading as text for Prometheus (OpenMetrics 1.0).
//!
//! Owns the names of metrics and labels, and that no text of a tenant's leaves its label. Refuses to ask anybody.

use std::fmt;
use std::fmt::Write;
use std::time::Duration;

use lunarium_engine::DELAY_BOUNDS;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::host::TenantState;

use super::reading::{HttpReading, Reading, Row, TENANTS, TenantReading, bound, buckets};

/// What the text is, as `Content-Type` says it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The text.
pub(super) fn render(reading: Reading) -> String {
    let mut registry = Registry::with_prefix("lunarium");
    registry.register_collector(Box::new(Page { reading }));
    let mut text = String::new();
    // A string takes whatever is written.
    let _ = encode(&mut text, &registry);
    text
}

struct Page {
    reading: Reading,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

/// Labels, their values escaped.
struct Labels<'l>(&'l [(&'l str, &'l str)]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.0 {
            (*name, Escaped(value).to_string().as_str()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}

/// A text between quotation marks: the library writes it as it is.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            other => f.write_char(other),
        })
    }
}

/// One metric, a value for each set of labels.
struct Metric<'m, 'e> {
    encoder: MetricEncoder<'e>,
    kind: &'m Kind,
}

enum Kind {
    Gauge,
    Counter,
}

impl Kind {
    fn write(&self, encoder: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self {
            Kind::Gauge => encoder.encode_gauge(&value),
            Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        }
    }
}

/// A number as Prometheus has it. Counts beyond 2^53 lose their last digits.
#[expect(clippy::cast_precision_loss, reason = "as said")]
fn float(number: u64) -> f64 {
    number as f64
}

impl Metric<'_, '_> {
    fn put(&mut self, labels: &[(&str, &str)], value: f64) -> fmt::Result {
        if labels.is_empty() {
            return self.kind.write(&mut self.encoder, value);
        }
        self.kind.write(&mut self.encoder.encode_family(&Labels(labels))?, value)
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.engine(&mut encoder)?;
        self.connections(&mut encoder)?;
        self.tenants(&mut encoder)?;
        self.hosts(&mut encoder)?;
        self.http(&mut encoder)
    }
}

fn metric<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    (name, help, kind): (&'static str, &'static str, &'static Kind),
) -> Result<Metric<'static, 'e>, fmt::Error> {
    let of = match kind {
        Kind::Gauge => MetricType::Gauge,
        Kind::Counter => MetricType::Counter,
    };
    Ok(Metric { encoder: encoder.encode_descriptor(name, help, None, of)?, kind })
}

/// A metric that has one value.
type Single = (&'static str, &'static str, &'static Kind, f64);
/// What a metric shows of something that there are several of; none: it has no such series.
type Column<T> = (&'static str, &'static str, &'static Kind, fn(&T) -> Option<f64>);

impl Page {
    fn engine(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Reading { uptime, engine, slots, delays, tenants, .. } = &self.reading;
        let mut build = metric(encoder, ("build_info", "The version that runs", &Kind::Gauge))?;
        build.put(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)?;
        let memory = engine.of("engine.memory");
        let size = |size: usize| u32::try_from(size).map_or(f64::INFINITY, f64::from);
        let mut singles: Vec<Single> = vec![
            ("uptime_seconds", "Time since the engine started", &Kind::Gauge, uptime.as_secs_f64()),
            ("engine_cpu_seconds", "CPU time of all tenants that there were", &Kind::Counter, engine.cpu.as_secs_f64()),
            ("engine_spawns", "Processes that were started", &Kind::Counter, float(engine.spawns)),
            (
                "engine_messages",
                "Messages that mailboxes have accepted, in steps of 256 of those that live",
                &Kind::Counter,
                float(engine.messages),
            ),
            ("engine_slots_limit", "Processes that the engine has room for", &Kind::Gauge, f64::from(slots.most)),
            ("engine_slots_made", "Places for instances that are made", &Kind::Gauge, size(slots.made)),
            ("engine_slots_held", "Places for instances that are held", &Kind::Gauge, size(slots.held)),
            ("tenants", "Tenants that there are", &Kind::Gauge, size(tenants.len())),
        ];
        if let Some(memory) = memory {
            singles.push(("engine_memory_bytes", "What all tenants hold", &Kind::Gauge, float(memory.used)));
            let limit = bound(memory.limit).map(float);
            singles.extend(limit.map(|limit| -> Single {
                ("engine_memory_limit_bytes", "What all tenants may hold", &Kind::Gauge, limit)
            }));
        }
        for (name, help, kind, value) in singles {
            metric(encoder, (name, help, kind))?.put(&[], value)?;
        }
        let help = "How long what can run has waited for a worker thread: of one in 61";
        let mut delay = encoder.encode_descriptor("scheduler_delay_seconds", help, None, MetricType::Histogram)?;
        let all = [("woken", &delays.woken), ("preempted", &delays.preempted), ("background", &delays.background)];
        for (urgency, measured) in all {
            let labels = [("urgency", urgency)];
            let labels = Labels(&labels);
            histogram(&mut delay.encode_family(&labels)?, measured.sum, &buckets(&DELAY_BOUNDS, measured.counts))?;
        }
        Ok(())
    }

    fn connections(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = &self.reading.connections;
        let mut open = metric(encoder, ("connections", "Connections that are open, by server", &Kind::Gauge))?;
        for reading in all {
            open.put(&[("server", reading.server)], float(reading.open))?;
        }
        let help = "Connections that were closed or refused, by server and why";
        let mut away = metric(encoder, ("connections_turned_away", help, &Kind::Counter))?;
        for reading in all {
            for (reason, count) in reading.away.by_reason() {
                away.put(&[("server", reading.server), ("reason", reason)], float(count))?;
            }
        }
        Ok(())
    }

    fn shown(&self) -> impl Iterator<Item = &TenantReading> {
        self.reading.tenants.iter().take(TENANTS)
    }

    fn tenants(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut state = metric(encoder, ("tenant_state", "1 for the state that the tenant is in", &Kind::Gauge))?;
        for tenant in self.shown() {
            for name in TenantState::NAMES {
                let is = if tenant.state == name { 1.0 } else { 0.0 };
                state.put(&[("tenant", &tenant.name), ("state", name)], is)?;
            }
        }
        let mut services = metric(encoder, ("services", "Services by what they do", &Kind::Gauge))?;
        for tenant in self.shown() {
            for (name, count) in &tenant.services {
                services.put(&[("tenant", &tenant.name), ("state", name)], float(*count))?;
            }
        }
        for (name, help, kind, value) in TENANT {
            let mut metric = metric(encoder, (name, help, kind))?;
            for tenant in self.shown() {
                if let Some(value) = value(tenant) {
                    metric.put(&[("tenant", &tenant.name)], value)?;
                }
            }
        }
        Ok(())
    }

    fn hosts(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let rows: Vec<(&str, Row)> =
            self.shown().flat_map(|tenant| tenant.rows().into_iter().map(|row| (tenant.name.as_str(), row))).collect();
        for (name, help, kind, value) in HOST {
            let mut metric = metric(encoder, (name, help, kind))?;
            for (tenant, row) in &rows {
                if let Some(value) = value(row) {
                    metric.put(&[("tenant", tenant), ("host", &row.host)], value)?;
                }
            }
        }
        let mut ends = metric(encoder, ("ends", "Processes that have ended, by how", &Kind::Counter))?;
        for (tenant, row) in &rows {
            for count in &row.ends {
                ends.put(&[("tenant", tenant), ("host", &row.host), ("kind", count.what)], float(count.times))?;
            }
        }
        let help = "What policies, limits and budgets have refused, by limit or kind; host is empty for what was asked from outside";
        let mut refusals = metric(encoder, ("refusals", help, &Kind::Counter))?;
        for tenant in self.shown() {
            for count in tenant.refusals_from_outside() {
                refusals.put(&[("tenant", &tenant.name), ("host", ""), ("reason", count.what)], float(count.times))?;
            }
        }
        for (tenant, row) in &rows {
            for count in &row.refusals {
                refusals.put(&[("tenant", tenant), ("host", &row.host), ("reason", count.what)], float(count.times))?;
            }
        }
        Ok(())
    }

    fn http(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let served = || self.shown().filter_map(|tenant| Some((tenant.name.as_str(), tenant.http.as_ref()?)));
        let help = "Requests from outside that were answered, by the class of the status";
        let mut answers = metric(encoder, ("http_requests", help, &Kind::Counter))?;
        for (tenant, http) in served() {
            for (class, count) in &http.answers {
                answers.put(&[("tenant", tenant), ("status", class)], float(*count))?;
            }
        }
        let help = "Requests that a bound of the tenant's has refused, by which";
        let mut refusals = metric(encoder, ("http_refusals", help, &Kind::Counter))?;
        for (tenant, http) in served() {
            for (reason, count) in &http.refusals {
                refusals.put(&[("tenant", tenant), ("reason", reason)], float(*count))?;
            }
        }
        let help = "From a request's head to its answer";
        let mut durations =
            encoder.encode_descriptor("http_request_duration_seconds", help, None, MetricType::Histogram)?;
        for (tenant, http) in served() {
            let labels = [("tenant", tenant)];
            let labels = Labels(&labels);
            histogram(&mut durations.encode_family(&labels)?, http.total, &http.latencies)?;
        }
        for (name, help, kind, value) in HTTP {
            let mut metric = metric(encoder, (name, help, kind))?;
            for (tenant, http) in served() {
                if let Some(value) = value(http) {
                    metric.put(&[("tenant", tenant)], value)?;
                }
            }
        }
        Ok(())
    }
}

fn histogram(encoder: &mut MetricEncoder<'_>, sum: Duration, buckets: &[(f64, u64)]) -> fmt::Result {
    let count = buckets.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count));
    encoder.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, buckets, None)
}

fn held(tenant: &TenantReading, name: &str) -> Option<f64> {
    Some(float(tenant.counts.as_ref()?.usage.of(name)?.used))
}

fn limit(tenant: &TenantReading, name: &str) -> Option<f64> {
    bound(tenant.counts.as_ref()?.usage.of(name)?.limit).map(float)
}

/// What there is of a tenant as a whole.
const TENANT: &[Column<TenantReading>] = &[
    ("service_restarts", "How often services were started again", &Kind::Counter, |t| Some(float(t.restarts))),
    ("tenant_memory_bytes", "What the tenant holds", &Kind::Gauge, |t| held(t, "node.memory")),
    ("tenant_memory_limit_bytes", "What it may hold", &Kind::Gauge, |t| limit(t, "node.memory")),
    ("tenant_processes", "Processes alive", &Kind::Gauge, |t| held(t, "node.processes")),
    ("tenant_processes_limit", "Processes that may live", &Kind::Gauge, |t| limit(t, "node.processes")),
    ("tenant_links", "Links between its processes", &Kind::Gauge, |t| held(t, "node.links")),
    ("tenant_links_limit", "Links that there may be", &Kind::Gauge, |t| limit(t, "node.links")),
    ("tenant_monitors", "Monitors of its processes", &Kind::Gauge, |t| held(t, "node.monitors")),
    ("tenant_monitors_limit", "Monitors that there may be", &Kind::Gauge, |t| limit(t, "node.monitors")),
];

/// What there is of a process host.
const HOST: &[Column<Row>] = &[
    ("processes", "Processes alive", &Kind::Gauge, |row| Some(float(row.processes))),
    ("processes_limit", "Processes that may live", &Kind::Gauge, |row| row.processes_limit.map(float)),
    ("memory_bytes", "What the process host holds", &Kind::Gauge, |row| Some(float(row.memory))),
    ("memory_limit_bytes", "What it may hold", &Kind::Gauge, |row| row.memory_limit.map(float)),
    ("cpu_seconds", "CPU time of its processes", &Kind::Counter, |row| Some(row.cpu.as_secs_f64())),
    ("spawns", "Processes that were started", &Kind::Counter, |row| Some(float(row.spawns))),
    ("messages", "Messages that mailboxes have accepted", &Kind::Counter, |row| Some(float(row.messages))),
    ("mailbox_messages", "Messages that scripts haven't received", &Kind::Gauge, |row| Some(float(row.unread))),
    ("mailbox_bytes", "Bytes of these", &Kind::Gauge, |row| Some(float(row.unread_bytes))),
    ("mailbox_deepest_messages", "Those of the fullest mailbox", &Kind::Gauge, |row| Some(float(row.deepest))),
];

/// What there is of requests from outside.
const HTTP: &[Column<HttpReading>] = &[
    ("http_requests_under_way", "Requests that wait for their answer", &Kind::Gauge, |http| {
        Some(float(http.under_way))
    }),
    ("http_slow_bodies", "Those whose bodies are waited for", &Kind::Gauge, |http| Some(float(http.slow.0))),
    ("http_unread_answers", "Those whose answers wait for their readers", &Kind::Gauge, |http| {
        Some(float(http.slow.1))
    }),
    ("http_received_bytes", "Bytes of bodies that came", &Kind::Counter, |http| Some(float(http.bodies.0))),
    ("http_sent_bytes", "Bytes of bodies that were sent", &Kind::Counter, |http| Some(float(http.bodies.1))),
];

#[cfg(test)]
mod tests;
