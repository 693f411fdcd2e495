//! Routes of Services, and requests of workloads.

use gateway_core::api::{ParentReference, Resources, Service};
use gateway_core::name::ObjectName;

use super::source::Source;
use super::words::{NAMESPACES, SERVICES};
use super::{World, backends, gateways, grpc_routes, policies, requests, routes};
use crate::decision::MeshArrival;

/// Makes resources in which most Routes are for Services, and some for Gateways too.
pub fn mesh_world(source: &mut Source<'_>) -> World {
    let mut resources = Resources::default();
    gateways::insert(source, &mut resources);
    backends::insert(source, &mut resources);
    let services: Vec<Service> = resources.services.values().map(|service| (**service).clone()).collect();
    for mut service in services {
        address(source, &mut service);
        resources.insert(service.into());
    }
    let parents = parents(&resources);
    for i in 0..1 + source.below(7) {
        resources.insert(routes::route(source, &parents, i).into());
    }
    for i in 0..source.below(4) {
        resources.insert(grpc_routes::route(source, &parents, i).into());
    }
    policies::insert(source, &mut resources);
    World { resources, hostname_fall_through: true }
}

/// Gives a Service an address, which now and then another has too, or none.
pub(super) fn address(source: &mut Source<'_>, service: &mut Service) {
    let addresses = ["10.96.0.1", "10.96.0.2", "10.96.0.3", "10.96.0.4", "10.96.0.5", "None"];
    service.spec.cluster_ip = source.some(60, |source| source.one(&addresses).to_owned());
}

/// What Routes are attached to: few Services, so that they meet, those of one more often, and one that is not there.
pub(super) fn parents(resources: &Resources) -> Vec<(&'static str, ObjectName)> {
    let services = NAMESPACES.iter().flat_map(|namespace| {
        ["s1", "s1", "s2", SERVICES[3]].map(|name| ("Service", ObjectName::new(*namespace, name)))
    });
    services.chain(resources.gateways.keys().map(|key| ("Gateway", key.clone()))).collect()
}

/// Makes a request to a Service, mostly one that some Route names.
pub fn mesh_arrival(source: &mut Source<'_>, world: &World) -> MeshArrival {
    let resources = &world.resources;
    let named = |key: &ObjectName, parents: &[ParentReference]| {
        let of_services = parents.iter().filter(|parent| parent.kind == "Service");
        let name = |parent: &ParentReference| {
            let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
            ObjectName::new(namespace, parent.name.as_str())
        };
        of_services.map(name).collect::<Vec<_>>()
    };
    let of_requests = resources.http_routes.iter().map(|(key, route)| named(key, &route.spec.parent_refs));
    let of_calls = resources.grpc_routes.iter().map(|(key, route)| named(key, &route.spec.parent_refs));
    let named: Vec<_> = of_requests.chain(of_calls).flatten().collect();
    let service = match named.is_empty() || source.chance(15) {
        true => ObjectName::new(source.one(&NAMESPACES), source.one(&SERVICES)),
        false => source.one(&named),
    };
    let as_to_gateway = requests::arrival(source, world);
    MeshArrival {
        client_namespace: source.one(&["app", "app", "infra", "app-b", "elsewhere"]).to_owned(),
        service,
        port: source.one(&[80, 80, 80, 8080, 8080, 9]),
        request: as_to_gateway.request,
        randoms: as_to_gateway.randoms,
        answer: as_to_gateway.answer,
    }
}
