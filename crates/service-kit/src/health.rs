//! Whether a process can do its work, part by part.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

/// The health of a process: that of all its components. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Health {
    components: Arc<Mutex<BTreeMap<String, Option<String>>>>,
}

/// One part of the process, which reports on itself. Its health stays as last reported.
#[derive(Debug, Clone)]
pub struct Component {
    health: Health,
    name: Arc<str>,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Report {
    /// Whether every component is ready.
    pub ready: bool,
    /// Each component by name: `null` if it is ready, else why it is not.
    pub components: BTreeMap<String, Option<String>>,
}

impl Health {
    /// Adds a component. It counts as unready until it says otherwise, so that nobody is sent
    /// requests while a process is still starting.
    pub fn component(&self, name: &str) -> Component {
        let component = Component {
            health: self.clone(),
            name: name.into(),
        };
        component.unready("starting");
        component
    }

    /// Removes a component that is no part of the process any more.
    pub fn forget(&self, name: &str) {
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        components.remove(name);
    }

    /// The health of every component at this moment.
    pub fn report(&self) -> Report {
        let components = self.components.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Report {
            ready: components.values().all(Option::is_none),
            components,
        }
    }
}

impl Component {
    /// The component does its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The component cannot do its work. `why` is read by operators and by whoever may read
    /// `/readyz`: no addresses, no passwords.
    pub fn unready(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    fn set(&self, why: Option<String>) {
        let mut components = self.health.components.lock().unwrap_or_else(PoisonError::into_inner);
        let before = components.get(&*self.name).cloned();
        if before.as_ref() == Some(&why) {
            return;
        }
        components.insert(self.name.to_string(), why.clone());
        drop(components);
        match (before, why) {
            (None, _) => {}
            (_, None) => tracing::info!(component = %self.name, "{} is ready", self.name),
            // While a process starts, parts of it wait for others: no reason to warn anybody.
            (Some(Some(_)), Some(why)) => tracing::info!(component = %self.name, "{} is not ready: {why}", self.name),
            (_, Some(why)) => tracing::warn!(component = %self.name, "{} is not ready: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_each_of_its_components_is() {
        let health = Health::default();
        let log = health.component("log");
        let projector = health.component("projector");
        log.ready();
        assert!(!health.report().ready, "the projector is still starting");
        projector.ready();
        assert!(health.report().ready);
        log.unready("no connection");
        let report = health.report();
        assert!(!report.ready);
        assert_eq!(report.components.get("log"), Some(&Some("no connection".to_owned())));
    }
}
