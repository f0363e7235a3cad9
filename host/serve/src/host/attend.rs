//! The task of one tenant: it supervises its services, and switches from one application to the next between two events.
//!
//! Owns the services. Reads nothing and checks nothing: what it switches to was.

use std::sync::Arc;

use lunarium_app::{App, ServiceAction, ServiceChange, ServiceEvent, Services};
use lunarium_engine::{EntryId, Level, Node};
use tokio::sync::{mpsc, oneshot};
use tokio::task;

use super::PATIENCE;
use super::error::HostError;
use super::tenant::Tenant;

/// What becomes of services.
pub(super) type Actions = Vec<(EntryId, ServiceAction)>;

/// What the task is told.
pub(super) enum Order {
    /// From now on this application counts.
    Switch { app: Arc<App>, strict: bool, reply: oneshot::Sender<Result<Actions, HostError>> },
    /// The services end, and the task.
    Stop(oneshot::Sender<()>),
}

pub(super) async fn attend(tenant: Tenant, node: Node, mut orders: mpsc::Receiver<Order>) {
    let mut services: Option<Services> = None;
    loop {
        let event = async {
            match &mut services {
                Some(services) => services.next_event().await,
                None => None,
            }
        };
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(Order::Switch { app, strict, reply }) => {
                    let switched = switch(&tenant, &node, &app, strict, &mut services);
                    // Whoever asked may be gone.
                    let _ = reply.send(switched);
                }
                Some(Order::Stop(reply)) => {
                    if let Some(services) = &mut services {
                        stop(&tenant, services).await;
                    }
                    let _ = reply.send(());
                    return;
                }
                None => return,
            },
            Some(event) = event => {
                tell(&tenant, &event);
                tenant.see(services.as_ref());
                // A service that is refused and restarted without delay always has an event.
                task::yield_now().await;
            }
        }
    }
}

/// The node knows the application from here on, and then the services follow.
fn switch(
    tenant: &Tenant,
    node: &Node,
    app: &Arc<App>,
    strict: bool,
    services: &mut Option<Services>,
) -> Result<Actions, HostError> {
    node.replace(app.world(strict)).map_err(|error| match error {
        lunarium_engine::HostError::Reserve(_) => HostError::NoRoom(error.to_string()),
        _ => HostError::Refused(error.to_string()),
    })?;
    tenant.runs(app);
    let actions = match services {
        Some(services) => services.replace(app),
        None => {
            *services = Some(Services::start(node, app));
            let starts = |service: &lunarium_app::Service| (service.id.clone(), ServiceAction::Starts);
            app.services().iter().map(starts).collect()
        }
    };
    if let Some(services) = services {
        tenant.calls(services);
    }
    tenant.see(services.as_ref());
    Ok(actions)
}

async fn stop(tenant: &Tenant, services: &mut Services) {
    services.begin_stop();
    tenant.see(Some(services));
    let stopped = async {
        while let Some(event) = services.next_event().await {
            tell(tenant, &event);
            tenant.see(Some(services));
            task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, stopped).await.is_err() {
        let text = format!("services are still there after {PATIENCE:?} and are terminated");
        tenant.note(Level::Warn, &text, Vec::new());
    }
}

fn tell(tenant: &Tenant, event: &ServiceEvent) {
    let app = tenant.app();
    let known = app.iter().flat_map(|app| app.services()).find(|known| known.id == event.service);
    let note = event.note(known);
    tenant.note(note.level, &note.message, note.fields);
    if let ServiceChange::GivenUp { failure, .. } | ServiceChange::Restarting { failure, .. } = &event.change
        && let Some(app) = app
    {
        let explained = app.explain("", failure, None);
        if !explained.is_bare() {
            tenant.note(note.level, &explained.render(false), Vec::new());
        }
    }
}
