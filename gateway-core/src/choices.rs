#![doc = include_str!("../docs/choices.md")]
