//! The classes of status that are told apart.

use http::StatusCode;

use super::closed_label::closed_label;

closed_label! {
    /// The class of an answer's status; [`NONE`](Self::NONE) where there was no answer.
    Class: "none", "1xx", "2xx", "3xx", "4xx", "5xx", "other"
}

// === impl Class ===

impl Class {
    pub(super) const NONE: Self = Self(0);

    pub(super) const SUCCESS: Self = Self(2);
}

impl From<StatusCode> for Class {
    fn from(status: StatusCode) -> Self {
        // A status has three digits, the first of which is not 0.
        Self(((status.as_u16() / 100) as u8).min(6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_has_no_class_is_another() {
        for (status, name) in
            [(101, "1xx"), (204, "2xx"), (499, "4xx"), (599, "5xx"), (600, "other"), (999, "other")]
        {
            let class = Class::from(StatusCode::from_u16(status).unwrap());
            assert_eq!(Class::NAMES[class.index()], name, "{status}");
        }
    }
}
