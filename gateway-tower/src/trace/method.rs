//! The method of a request, as the convention names it.

use http::Method;
use opentelemetry::KeyValue;

/// The attributes for a method: one that the convention does not know is another, and stands beside.
pub(super) fn method(method: &Method) -> (&'static str, Vec<KeyValue>) {
    let (name, known) = named(method);
    let mut attributes = vec![KeyValue::new("http.request.method", known)];
    if known != name {
        let original = KeyValue::new("http.request.method_original", method.as_str().to_owned());
        attributes.push(original);
    }
    (name, attributes)
}

/// The name of a span for the method, and what the method is called in an attribute.
pub(super) fn named(method: &Method) -> (&'static str, &'static str) {
    let known = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => return ("HTTP", "_OTHER"),
    };
    (known, known)
}
