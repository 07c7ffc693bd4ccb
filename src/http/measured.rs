//! Measurements for Prometheus: what whoever runs the server watches.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::sync::watch;

use crate::domain::source::Source;
use crate::domain::time::RecordedAt;
use crate::feed::acknowledged::{Acknowledged, Became};
use crate::feed::intake::{SourceSeen, Watching};
use crate::ledger::now;

const HERE: Metadata<'static> = Metadata::new("peildatum", Level::INFO, None);

/// Upper ends of the histograms, in seconds.
const SECONDS: [f64; 12] = [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];

const COUNTERS: [(&str, &str); 3] = [
    ("peildatum_requests_total", "Requests that were answered, by method, route and status."),
    ("peildatum_appended_entries_total", "Entries that became durable since the server started."),
    (
        "peildatum_refusals_total",
        "Rows that were refused and requests that were not done, by the code of the reason.",
    ),
];
const GAUGES: [(&str, &str); 4] = [
    ("peildatum_head_entries", "Entries in the log, all durable."),
    ("peildatum_queue_deliveries", "Deliveries that wait to be decided about."),
    ("peildatum_connections", "Connections that are open."),
    ("peildatum_source_last_delivery_timestamp_seconds", "When each source last delivered."),
];
const HISTOGRAMS: [(&str, &str); 2] = [
    ("peildatum_append_seconds", "From taking a group of deliveries until it is durable."),
    ("peildatum_request_seconds", "From the last header of a request until its answer begins, by route."),
];

/// What is measured.
pub struct Measured {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    last: Mutex<BTreeMap<Source, RecordedAt>>,
    broken: watch::Sender<bool>,
}

impl Default for Measured {
    fn default() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).expect("there are some");
        let recorder = builder.build_recorder();
        for (name, what) in COUNTERS {
            recorder.describe_counter(KeyName::from(name), None, what.into());
        }
        for (name, what) in GAUGES {
            recorder.describe_gauge(KeyName::from(name), None, what.into());
        }
        for (name, what) in HISTOGRAMS {
            recorder.describe_histogram(KeyName::from(name), Some(Unit::Seconds), what.into());
        }
        let handle = recorder.handle();
        Self { recorder, handle, last: Mutex::default(), broken: watch::channel(false).0 }
    }
}

impl Measured {
    /// A request was answered.
    pub fn request(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        let route = Label::new("route", route.to_owned());
        let labels = vec![
            Label::from_static_parts("method", method),
            route.clone(),
            Label::new("status", status.to_string()),
        ];
        self.recorder.register_counter(&Key::from_parts(COUNTERS[0].0, labels), &HERE).increment(1);
        self.recorder
            .register_histogram(&Key::from_parts(HISTOGRAMS[1].0, vec![route]), &HERE)
            .record(seconds);
    }

    /// Something was not done for this reason.
    pub fn refusal(&self, code: &'static str) {
        let labels = vec![Label::from_static_parts("code", code)];
        self.recorder.register_counter(&Key::from_parts(COUNTERS[2].0, labels), &HERE).increment(1);
    }

    /// A connection was opened or closed.
    pub fn connections(&self, open: usize) {
        self.recorder.register_gauge(&Key::from_static_name(GAUGES[2].0), &HERE).set(open as f64);
    }

    /// Whether something broke, after which nothing is recorded any more.
    pub fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    /// Tells when something breaks.
    pub fn breaking(&self) -> watch::Receiver<bool> {
        self.broken.subscribe()
    }

    /// Sources that delivered before the server started.
    pub fn seen(&self, sources: &[SourceSeen]) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.extend(sources.iter().map(|it| (it.source.clone(), it.last_delivery_at)));
    }

    /// Everything in the text format of Prometheus.
    pub fn told(&self, head: u64, waiting: usize) -> String {
        let gauge = |name: &'static str| self.recorder.register_gauge(&Key::from_static_name(name), &HERE);
        gauge(GAUGES[0].0).set(head as f64);
        gauge(GAUGES[1].0).set(waiting as f64);
        for (source, at) in &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            let labels = vec![Label::new("source", source.as_str().to_owned())];
            let key = Key::from_parts(GAUGES[3].0, labels);
            self.recorder.register_gauge(&key, &HERE).set(at.millis() as f64 / 1_000.0);
        }
        self.handle.render()
    }
}

impl Watching for Measured {
    fn appended(&self, entries: u64, seconds: f64) {
        self.recorder.register_counter(&Key::from_static_name(COUNTERS[1].0), &HERE).increment(entries);
        self.recorder.register_histogram(&Key::from_static_name(HISTOGRAMS[0].0), &HERE).record(seconds);
    }

    fn acknowledged(&self, receipt: &Acknowledged) {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(receipt.delivered_by.clone(), receipt.received_at);
        for row in &receipt.rows {
            if let Became::Conflict { faults, .. } | Became::Refused { faults, .. } = &row.became {
                faults.iter().for_each(|fault| self.refusal(fault.code));
            }
        }
    }

    fn broken(&self, why: &str) {
        self.broken.send_replace(true);
        tracing::error!(why = %super::shown(why), at = %now(), "nothing is recorded any more: start the server again");
    }
}
