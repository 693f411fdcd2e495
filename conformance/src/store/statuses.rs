//! The statuses of stored objects.

use std::sync::Arc;

use gateway_core::api::Resources;
use gateway_core::name::{RouteKey, RouteKind};
use gateway_core::status::{RouteStatus, Statuses, merge};

use super::Store;

impl Store {
    /// Brings what a translation computed together with what is stored.
    pub fn write(&mut self, statuses: &Statuses, controller_name: &str) {
        let now = self.now();
        let Statuses { gateway_classes, gateways, listener_sets, routes } = statuses;
        let Resources {
            gateway_classes: stored_classes,
            gateways: stored_gateways,
            listener_sets: stored_sets,
            http_routes,
            grpc_routes,
            tls_routes,
            tcp_routes,
            udp_routes,
            ..
        } = &mut self.objects;
        for (key, status) in gateway_classes {
            if let Some(object) = stored_classes.get_mut(key)
                && let Some(status) = merge::gateway_class(&object.status, status, &now)
            {
                Arc::make_mut(object).status = status;
            }
        }
        for (key, status) in gateways {
            if let Some(object) = stored_gateways.get_mut(key)
                && let Some(status) = merge::gateway(&object.status, status, &now)
            {
                Arc::make_mut(object).status = status;
            }
        }
        for (key, status) in listener_sets {
            if let Some(object) = stored_sets.get_mut(key)
                && let Some(status) = merge::listener_set(&object.status, status, &now)
            {
                Arc::make_mut(object).status = status;
            }
        }
        // A route that has no parent of ours any more loses what we said about it.
        macro_rules! write {
            ($stored:expr, $kind:expr) => {
                for (key, object) in $stored {
                    let generation = object.metadata.generation;
                    let nothing = RouteStatus { generation, parents: Vec::new() };
                    let status = routes.get(&RouteKey::new($kind, key.clone())).unwrap_or(&nothing);
                    if let Some(status) = merge::route(&object.status, status, controller_name, &now) {
                        Arc::make_mut(object).status = status;
                    }
                }
            };
        }
        write!(http_routes, RouteKind::Http);
        write!(grpc_routes, RouteKind::Grpc);
        write!(tls_routes, RouteKind::Tls);
        write!(tcp_routes, RouteKind::Tcp);
        write!(udp_routes, RouteKind::Udp);
    }
}
