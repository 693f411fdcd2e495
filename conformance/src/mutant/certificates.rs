//! Faults with certificates: what a policy or a Gateway says about them is misread, and statuses that come out wrong.

use std::sync::Arc;

use gateway_core::api::{
    AnyObject, BackendTlsPolicy, FrontendTlsConfig, FrontendValidationModeType, GatewayTlsConfig,
    PolicyStatus, TlsConfig,
};

use super::statuses::always_true;
use super::{Fault, Mutant};

pub(super) const MUTANTS: &[Mutant] = &[
    object("backends are spoken to in plain text, whatever a policy says", |object| {
        policy(object, |policy| {
            policy.spec.target_refs.iter_mut().for_each(|target| target.name = "nothing".to_owned());
        });
    }),
    object("the names that a policy lists are not looked at", |object| {
        policy(object, |policy| policy.spec.validation.subject_alt_names.clear());
    }),
    object("a policy for a port holds for the whole Service", |object| {
        policy(object, |policy| {
            policy.spec.target_refs.iter_mut().for_each(|target| target.section_name = None);
        });
    }),
    object("a policy for a whole Service holds for no port", |object| {
        policy(object, |policy| {
            policy.spec.target_refs.iter_mut().filter(|target| target.section_name.is_none()).for_each(
                |target| {
                    target.section_name = Some("none".to_owned());
                },
            );
        });
    }),
    object("a Gateway shows no certificate to backends", |object| tls(object, |tls| tls.backend = None)),
    object("clients are not asked for a certificate", |object| tls(object, |tls| tls.frontend = None)),
    object("what is asked of the clients of one port is asked of none", |object| {
        frontend(object, |frontend| frontend.per_port.clear());
    }),
    object("clients without a valid certificate are let in", |object| {
        validations(object, FrontendValidationModeType::AllowInsecureFallback);
    }),
    object("clients without a valid certificate are never let in", |object| {
        validations(object, FrontendValidationModeType::AllowValidOnly);
    }),
    status("the status of a policy is missing", |object| {
        policy(object, |policy| policy.status = PolicyStatus::default());
    }),
    status("every policy is accepted", |object| {
        policy_conditions(object, "Accepted");
    }),
    status("the references of every policy resolve", |object| {
        policy_conditions(object, "ResolvedRefs");
    }),
    status("the conditions of a policy keep the generation that they were first about", |object| {
        policy(object, |policy| {
            let ancestors = policy.status.ancestors.iter_mut();
            ancestors.flat_map(|ancestor| &mut ancestor.conditions).for_each(|condition| {
                condition.observed_generation = Some(1);
            });
        });
    }),
    status("a Gateway that lets in every client does not say so", |object| {
        if let AnyObject::Gateway(gateway) = object {
            let conditions = &mut Arc::make_mut(gateway).status.conditions;
            conditions.retain(|condition| condition.r#type != "InsecureFrontendValidationMode");
        }
    }),
];

fn policy(object: &mut AnyObject, change: impl FnOnce(&mut BackendTlsPolicy)) {
    if let AnyObject::BackendTlsPolicy(policy) = object {
        change(Arc::make_mut(policy));
    }
}

fn policy_conditions(object: &mut AnyObject, about: &str) {
    if let AnyObject::BackendTlsPolicy(_) = object {
        always_true(object, about);
    }
}

fn tls(object: &mut AnyObject, change: impl FnOnce(&mut GatewayTlsConfig)) {
    if let AnyObject::Gateway(gateway) = object
        && let Some(tls) = &mut Arc::make_mut(gateway).spec.tls
    {
        change(tls);
    }
}

fn frontend(object: &mut AnyObject, change: impl FnOnce(&mut FrontendTlsConfig)) {
    tls(object, |tls| {
        if let Some(frontend) = &mut tls.frontend {
            change(frontend);
        }
    });
}

fn validations(object: &mut AnyObject, mode: FrontendValidationModeType) {
    frontend(object, |frontend| {
        let per_port = frontend.per_port.iter_mut().map(|port| &mut port.tls);
        let all: Vec<&mut TlsConfig> = per_port.chain([&mut frontend.default]).collect();
        all.into_iter().filter_map(|tls| tls.validation.as_mut()).for_each(|it| it.mode = mode.clone());
    });
}

const fn object(name: &'static str, misread: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Object(misread) }
}

const fn status(name: &'static str, change: fn(&mut AnyObject)) -> Mutant {
    Mutant { name, fault: Fault::Status(change) }
}
