//! What tenants see of each other: nothing.

use rollcall::host::Connection;
use rollcall::model::ids::{ConnectionId, TenantId};

use super::{Bench, probe, spec};

#[tokio::test]
async fn what_one_tenant_remembers_no_other_recalls() {
    let bench = Bench::new();
    let plugin = bench.guest("snoop", &["plugin"]);
    let of = |tenant: &str, connection: &str| {
        let mut spec = spec(&plugin, &[], &[]);
        spec.tenant = TenantId::parse(tenant).unwrap();
        spec.connection = ConnectionId::parse(connection).unwrap();
        Connection::new(spec).unwrap()
    };
    let (acme, other, second) = (of("acme", "a"), of("other", "a"), of("acme", "b"));
    assert_eq!(probe(&acme).await.0, "nothing");
    assert_eq!(probe(&acme).await.0, "mine");
    assert_eq!(probe(&other).await.0, "nothing");
    assert_eq!(probe(&second).await.0, "nothing");
}
