//! Gateway API routing decisions carried out with tower.
