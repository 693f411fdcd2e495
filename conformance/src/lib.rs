//! The conformance cases, the plain reference matcher and the generators.
