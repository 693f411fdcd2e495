//! Statuses that a program writes into a file.

use std::path::Path;
use std::{fs, io};

use gateway_core::api::{AnyObject, ObjectMeta};
use gateway_core::manifest;

/// The stored object with the status that stands in the file, if one does.
///
/// # Errors
/// The file cannot be read, or what is in it cannot be understood.
pub(super) fn with_status(stored: AnyObject, file: &Path) -> Result<AnyObject, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(stored),
        Err(error) => return Err(format!("the file with statuses cannot be read: {error}")),
    };
    let read = manifest::read(&text, "status");
    let is_it = |object: &&AnyObject| {
        let same_name = object.kind() == stored.kind() && object.key() == stored.key();
        same_name && is_same(object.metadata(), stored.metadata())
    };
    let Some(found) = read.objects.iter().map(|(object, _)| object).find(is_it) else {
        let name = format!("{} {}", stored.kind(), stored.key());
        let problem =
            read.problems.iter().find(|problem| problem.object.as_ref().is_none_or(|it| *it == name));
        return match problem {
            Some(problem) => Err(format!("the file with statuses is wrong: {problem}")),
            None => Ok(stored),
        };
    };
    let mut object = stored;
    object.take_status(found);
    Ok(object)
}

/// Whether it is the same object, and no earlier one of its name.
fn is_same(written: &ObjectMeta, stored: &ObjectMeta) -> bool {
    written.uid.is_none() || written.uid == stored.uid
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: default, uid: one, generation: 3}
spec: {gatewayClassName: a, listeners: [{name: http, port: 80, protocol: HTTP}]}
";

    fn stored() -> AnyObject {
        manifest::read(GATEWAY, "test.yaml").objects.remove(0).0
    }

    fn read(text: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("status");
        fs::write(&file, text).unwrap();
        let AnyObject::Gateway(gateway) = with_status(stored(), &file)? else { panic!("no Gateway") };
        assert_eq!((gateway.metadata.generation, gateway.spec.listeners[0].port), (Some(3), 80));
        Ok(gateway.status.addresses.len())
    }

    #[test]
    fn a_status_is_taken_from_a_list() {
        let list = "
apiVersion: v1
kind: List
items:
- apiVersion: gateway.networking.k8s.io/v1
  kind: Gateway
  metadata: {name: web, namespace: default, uid: one}
  spec: {gatewayClassName: a, listeners: [{name: http, port: 80, protocol: HTTP}]}
  status: {addresses: [{type: IPAddress, value: 127.0.0.1}]}
";
        assert_eq!(read(list), Ok(1));
        assert_eq!(read(&list.replace("uid: one", "uid: two")), Ok(0), "an earlier object of this name");
        assert_eq!(read(&list.replace(", uid: one", "")), Ok(1));
        assert_eq!(read(&list.replace("name: web", "name: other")), Ok(0));
        assert_eq!(read(&list.replace("addresses: [", "addresses: [{value: 127.0.0.2}, ")), Ok(2));
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_an_error() {
        assert!(read("{").unwrap_err().contains("status:1:"), "{:?}", read("{"));
        let missing = with_status(stored(), Path::new("/nowhere/at/all")).unwrap();
        assert_eq!(missing, stored());
    }
}
