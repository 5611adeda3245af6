//! S3 and CloudFormation in memory: enough for pipelines to be tried out and tested without an emulator.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use crate::engine::lock;
use crate::surroundings::{
    CallError, ChangeSet, ChangeSetKind, ChangeSetRequest, Object, Objects, Stack, StackEvent, StackRequest, Stacks,
};

/// Buckets that keep versions and are there as soon as something is written.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    versions: Mutex<BTreeMap<Place, Vec<Vec<u8>>>>,
}

/// A bucket and a key.
type Place = (String, String);

impl MemoryObjects {
    /// Writes an object and returns its version.
    pub fn write(&self, bucket: &str, key: &str, body: &[u8]) -> String {
        let mut versions = lock(&self.versions);
        let versions = versions.entry((bucket.to_owned(), key.to_owned())).or_default();
        versions.push(body.to_vec());
        format!("v{}", versions.len())
    }

    /// The keys in a bucket, in order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let versions = lock(&self.versions);
        let keys = versions.keys().filter(|(of, _)| of == bucket);
        keys.map(|(_, key)| key.clone()).collect()
    }
}

impl Objects for MemoryObjects {
    fn get(&self, _: &str, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, CallError> {
        let versions = lock(&self.versions);
        let missing = || CallError::new("NoSuchKey", "The specified key does not exist.");
        let versions = versions.get(&(bucket.to_owned(), key.to_owned())).ok_or_else(missing)?;
        let wanted = match version {
            None => Some(versions.len()),
            Some(version) => version.strip_prefix('v').and_then(|number| number.parse().ok()),
        };
        let found = wanted.and_then(|number: usize| Some((number, versions.get(number.checked_sub(1)?)?)));
        let (number, body) =
            found.ok_or_else(|| CallError::new("NoSuchVersion", "The specified version does not exist."))?;
        Ok(Object {
            body: body.clone(),
            version: Some(format!("v{number}")),
            e_tag: None,
        })
    }

    fn put(&self, _: &str, bucket: &str, key: &str, body: &[u8]) -> Result<Option<String>, CallError> {
        Ok(Some(self.write(bucket, key, body)))
    }
}

/// Stacks that change at once. A stack's outputs are its parameters; the same request a second time holds no change.
#[derive(Debug, Default)]
pub struct MemoryStacks {
    world: Mutex<World>,
}

#[derive(Debug, Default)]
struct World {
    stacks: BTreeMap<String, Held>,
    failing: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Held {
    status: &'static str,
    request: StackRequest,
    events: Vec<StackEvent>,
    change_sets: BTreeMap<String, (ChangeSet, ChangeSetRequest)>,
}

impl MemoryStacks {
    /// The stack's next change fails and is rolled back.
    pub fn fail_next(&self, stack: &str) {
        lock(&self.world).failing.insert(stack.to_owned());
    }

    /// What the stack was made of last; nothing if it is not there.
    #[must_use]
    pub fn request(&self, stack: &str) -> Option<StackRequest> {
        let world = lock(&self.world);
        let held = world.stacks.get(stack);
        held.filter(|held| held.status != "REVIEW_IN_PROGRESS")
            .map(|held| held.request.clone())
    }

    /// The stack's status; nothing if it is not there.
    #[must_use]
    pub fn status(&self, stack: &str) -> Option<&'static str> {
        lock(&self.world).stacks.get(stack).map(|held| held.status)
    }
}

impl World {
    fn held(&mut self, stack: &str) -> Result<&mut Held, CallError> {
        let missing = || CallError::new("ValidationError", format!("Stack [{stack}] does not exist"));
        self.stacks.get_mut(stack).ok_or_else(missing)
    }

    fn change(&mut self, request: &StackRequest, create: bool) {
        let name = &request.stack;
        let fails = self.failing.remove(name);
        let held = self.stacks.entry(name.clone()).or_default();
        let verb = if create { "CREATE" } else { "UPDATE" };
        held.event(name, &format!("{verb}_IN_PROGRESS"), "User Initiated");
        held.status = match (create, fails) {
            (true, false) => "CREATE_COMPLETE",
            (true, true) => "ROLLBACK_COMPLETE",
            (false, false) => "UPDATE_COMPLETE",
            (false, true) => "UPDATE_ROLLBACK_COMPLETE",
        };
        if fails {
            held.event("Resource", &format!("{verb}_FAILED"), "it was told to fail");
        } else {
            held.request = request.clone();
        }
        let status = held.status.to_owned();
        held.event(name, &status, "");
        held.change_sets.clear();
    }
}

impl Held {
    fn event(&mut self, resource: &str, status: &str, reason: &str) {
        let event = StackEvent {
            resource: resource.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        };
        self.events.insert(0, event);
    }
}

impl Stacks for MemoryStacks {
    fn describe(&self, _: &str, stack: &str) -> Result<Option<Stack>, CallError> {
        let world = lock(&self.world);
        Ok(world.stacks.get(stack).map(|held| Stack {
            id: format!("arn:aws:cloudformation:us-east-1:000000000000:stack/{stack}/1"),
            status: held.status.to_owned(),
            reason: None,
            outputs: held.request.parameters.clone(),
        }))
    }

    fn events(&self, _: &str, stack: &str) -> Result<Vec<StackEvent>, CallError> {
        let world = lock(&self.world);
        Ok(world
            .stacks
            .get(stack)
            .map(|held| held.events.clone())
            .unwrap_or_default())
    }

    fn create_change_set(&self, _: &str, request: &ChangeSetRequest) -> Result<(), CallError> {
        let mut world = lock(&self.world);
        let name = &request.request.stack;
        if request.kind == ChangeSetKind::Create {
            let held = world.stacks.entry(name.clone()).or_default();
            held.status = "REVIEW_IN_PROGRESS";
        }
        let held = world.held(name)?;
        let same = request.kind == ChangeSetKind::Update && held.request == request.request;
        let (status, reason) = if same {
            ("FAILED", Some("The submitted information didn't contain changes."))
        } else {
            ("CREATE_COMPLETE", None)
        };
        let change_set = ChangeSet {
            status: status.to_owned(),
            reason: reason.map(str::to_owned),
        };
        held.change_sets
            .insert(request.name.clone(), (change_set, request.clone()));
        Ok(())
    }

    fn describe_change_set(&self, _: &str, stack: &str, name: &str) -> Result<Option<ChangeSet>, CallError> {
        let world = lock(&self.world);
        let held = world.stacks.get(stack);
        Ok(held
            .and_then(|held| held.change_sets.get(name))
            .map(|(change_set, _)| change_set.clone()))
    }

    fn delete_change_set(&self, _: &str, stack: &str, name: &str) -> Result<(), CallError> {
        lock(&self.world).held(stack)?.change_sets.remove(name);
        Ok(())
    }

    fn execute_change_set(&self, _: &str, stack: &str, name: &str) -> Result<(), CallError> {
        let mut world = lock(&self.world);
        let missing = || CallError::new("ChangeSetNotFound", format!("ChangeSet [{name}] does not exist"));
        let (change_set, request) = world.held(stack)?.change_sets.get(name).cloned().ok_or_else(missing)?;
        if change_set.status != "CREATE_COMPLETE" {
            let message = format!("ChangeSet [{name}] cannot be executed in its current status of [FAILED]");
            return Err(CallError::new("InvalidChangeSetStatus", message));
        }
        world.change(&request.request, request.kind == ChangeSetKind::Create);
        Ok(())
    }

    fn create(&self, _: &str, request: &StackRequest) -> Result<(), CallError> {
        lock(&self.world).change(request, true);
        Ok(())
    }

    fn update(&self, _: &str, request: &StackRequest) -> Result<(), CallError> {
        let mut world = lock(&self.world);
        if world.held(&request.stack)?.request == *request {
            return Err(CallError::new("ValidationError", "No updates are to be performed."));
        }
        world.change(request, false);
        Ok(())
    }

    fn delete(&self, _: &str, stack: &str, _: Option<&str>) -> Result<(), CallError> {
        lock(&self.world).stacks.remove(stack);
        Ok(())
    }
}
