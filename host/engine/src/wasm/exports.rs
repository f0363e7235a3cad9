//! The functions that the guest exports, and that they have the types they are called with. Owns that check: it is made once
//! for each component that is loaded, as all its instances have the same types; made for each instance it was four
//! hundredths of a spawn. Refuses to call them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, format_err};

use super::guest::{Chunk, EventParam, EventResult, Globals, Program, Status};

const INTERFACE: &str = "lunarium:process/guest@0.1.0";

/// What a function takes and gives: by this it is checked, and by this it is called.
pub(super) trait Signature {
    type Parameters<'a>: ComponentNamedList + Lower;
    type Results: ComponentNamedList + Lift;
}

pub(super) struct Start;
pub(super) struct Resume;
pub(super) struct GiveBack;
pub(super) struct Check;
pub(super) struct Compile;
pub(super) struct StackPointer;

impl Signature for Start {
    type Parameters<'a> = (Program<'a>, &'a [u8]);
    type Results = (Status,);
}

impl Signature for Resume {
    type Parameters<'a> = (&'a [u8], Option<&'a [EventParam<'a>]>);
    type Results = (Status,);
}

impl Signature for GiveBack {
    type Parameters<'a> = ();
    type Results = (Vec<EventResult>,);
}

impl Signature for Check {
    type Parameters<'a> = (Chunk<'a>,);
    type Results = (Result<Globals, String>,);
}

impl Signature for Compile {
    type Parameters<'a> = (Chunk<'a>,);
    type Results = (Result<Vec<u8>, String>,);
}

impl Signature for StackPointer {
    type Parameters<'a> = ();
    type Results = (u32,);
}

/// Where a function stands among the exports of the component, and its type.
pub(super) struct Export<S>(ComponentExportIndex, PhantomData<fn(S)>);

impl<S: Signature> Export<S> {
    fn find(component: &Component, interface: &ComponentExportIndex, name: &str) -> wasmtime::Result<Export<S>> {
        let index = component.get_export_index(Some(interface), name);
        let index = index.ok_or_else(|| format_err!("the guest has no function `{name}`"))?;
        Ok(Export(index, PhantomData))
    }

    fn check<T>(&self, store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<()> {
        instance.get_typed_func::<S::Parameters<'_>, S::Results>(store, &self.0).map(drop)
    }

    /// The function of an instance, whose component is the one that was checked.
    #[allow(unsafe_code, reason = "its type was checked, for the component's first instance")]
    pub(super) fn of<'a, T>(
        &self,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> wasmtime::Result<TypedFunc<S::Parameters<'a>, S::Results>> {
        let function = instance.get_func(store, self.0).ok_or_else(|| format_err!("not a function of the guest"))?;
        // SAFETY: `Exports::instantiate` has checked it by the same signature.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}

/// What a component exports.
pub(super) struct Exports {
    pub(super) start: Export<Start>,
    pub(super) resume: Export<Resume>,
    pub(super) give_back: Export<GiveBack>,
    pub(super) check: Export<Check>,
    pub(super) compile: Export<Compile>,
    pub(super) stack_pointer: Export<StackPointer>,
    are_checked: AtomicBool,
}

impl Exports {
    /// Errors: a function is missing.
    pub(super) fn new(component: &Component) -> wasmtime::Result<Exports> {
        let interface = component.get_export_index(None, INTERFACE);
        let interface = &interface.ok_or_else(|| format_err!("the guest has no interface `{INTERFACE}`"))?;
        Ok(Exports {
            start: Export::find(component, interface, "start")?,
            resume: Export::find(component, interface, "resume")?,
            give_back: Export::find(component, interface, "give-back")?,
            check: Export::find(component, interface, "check")?,
            compile: Export::find(component, interface, "compile")?,
            stack_pointer: Export::find(component, interface, "stack-pointer")?,
            are_checked: AtomicBool::new(false),
        })
    }

    /// Makes an instance. Errors: the pool has none, or a function has another type.
    pub(super) async fn instantiate<T: Send + 'static>(
        &self,
        pre: &InstancePre<T>,
        store: &mut Store<T>,
    ) -> wasmtime::Result<Instance> {
        let instance = pre.instantiate_async(&mut *store).await?;
        if !self.are_checked.load(Ordering::Acquire) {
            self.check_types(store, &instance)?;
            self.are_checked.store(true, Ordering::Release);
        }
        Ok(instance)
    }

    fn check_types<T>(&self, store: &mut Store<T>, instance: &Instance) -> wasmtime::Result<()> {
        self.start.check(store, instance)?;
        self.resume.check(store, instance)?;
        self.give_back.check(store, instance)?;
        self.check.check(store, instance)?;
        self.compile.check(store, instance)?;
        self.stack_pointer.check(store, instance)
    }
}
