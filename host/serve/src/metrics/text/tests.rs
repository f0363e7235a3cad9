//! What a text of a tenant's can do to the page of metrics: nothing.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use super::{Kind, metric};

#[derive(Debug)]
struct Named(&'static str);

impl Collector for Named {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        metric(&mut encoder, ("tenants", "Tenants", &Kind::Counter))?.put(&[("tenant", self.0), ("other", "b")], 1.0)
    }
}

#[test]
fn no_text_leaves_its_label() {
    let mut registry = Registry::with_prefix("lunarium");
    registry.register_collector(Box::new(Named("a\"} 2\nlunarium_fake 3 \\")));
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    let expected = "# HELP lunarium_tenants Tenants\n# TYPE lunarium_tenants counter\n\
        lunarium_tenants_total{tenant=\"a\\\"} 2\\nlunarium_fake 3 \\\\\",other=\"b\"} 1.0\n# EOF\n";
    assert_eq!(text, expected);
}
