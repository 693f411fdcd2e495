//! The order of objects by age.

use gateway_core::api::ObjectMeta;
use gateway_core::name::ObjectName;

/// What sorts objects by age: the time of creation, then the one text `namespace/name`. AMB-36: without a time it is the
/// newest.
pub(super) fn of(metadata: &ObjectMeta, key: &ObjectName) -> (i64, String) {
    let created = metadata.creation_timestamp.as_ref().and_then(|time| time.unix_seconds());
    (created.unwrap_or(i64::MAX), key.to_string())
}
