//! Takes the shim out of a component. `wit_component` makes three core instances of a module that has imports: they need the
//! module's memory, which isn't there before the module, so the module calls them through the table of another instance, and a
//! third one fills that when they are there. Making a process makes each of them, and looks each of their functions up. Here the
//! module gets these places in its own table, and the shim is gone. Owns nothing else of a component: what it imports and exports
//! stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Range;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, ReencodeComponent, component_utils, utils};
use wasm_encoder::{
    Component, ComponentAliasSection, ComponentSectionId, ConstExpr, InstanceSection, Module, RawSection, TableType,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentAliasSectionReader, CustomSectionReader, ExternalKind, Instance,
    InstanceSectionReader, Parser, Payload,
};

use crate::prune::{self, Fate};

/// Why the shim stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the component can't be rewritten: {0}")]
    Wasm(String),
    #[error("the component isn't made as `wit_component` makes it: {0}")]
    Unknown(&'static str),
    #[error(transparent)]
    Module(#[from] prune::Error),
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Wasm(error.to_string())
    }
}

/// The table, as the shim exports it and the filling module imports it.
const TABLE: &str = "$imports";

/// The core instance and the core module that go, and from where on others are numbered one less.
const SHIM: u32 = 0;
const SHIM_MODULE: u32 = 1;
const MAIN_MODULE: u32 = 0;

/// The same component without a shim; one that has none as it is.
///
/// Errors: invalid wasm; a component that is made in another way.
pub fn remove(component: &[u8]) -> Result<Vec<u8>, Error> {
    let survey = Survey::of(component)?;
    let Some(mut remover) = survey.remover(component)? else { return Ok(component.to_vec()) };
    let mut rewritten = Component::new();
    let result = remover.parse_component(&mut rewritten, Parser::new(0), component);
    result.map_err(|error: ReencodeError| Error::Wasm(error.to_string()))?;
    Ok(rewritten.finish())
}

/// What a component is made of, as far as the shim is concerned.
#[derive(Default)]
struct Survey<'a> {
    modules: Vec<Range<usize>>,
    /// The core instances.
    instances: Vec<Instance<'a>>,
    /// Core functions; of those that are the shim's, by which name.
    functions: Vec<Option<&'a str>>,
}

impl<'a> Survey<'a> {
    fn of(component: &'a [u8]) -> Result<Self, Error> {
        let mut survey = Self::default();
        let (mut parser, mut rest) = (Parser::new(0), component);
        while let wasmparser::Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? {
            rest = rest.get(consumed..).unwrap_or_default();
            match payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    rest = rest.get(place(&unchecked_range).len()..).unwrap_or_default();
                    survey.modules.push(place(&unchecked_range));
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    rest = rest.get(place(&unchecked_range).len()..).unwrap_or_default();
                }
                Payload::InstanceSection(section) => {
                    for instance in section {
                        survey.instances.push(instance?);
                    }
                }
                Payload::ComponentAliasSection(section) => {
                    for alias in section {
                        survey.alias(&alias?);
                    }
                }
                Payload::ComponentCanonicalSection(section) => {
                    for function in section {
                        if !matches!(function?, CanonicalFunction::Lift { .. }) {
                            survey.functions.push(None);
                        }
                    }
                }
                Payload::End(_) => break,
                _ => {}
            }
        }
        Ok(survey)
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) {
        if let ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, instance_index, name } = alias {
            self.functions.push((*instance_index == SHIM).then_some(*name));
        }
    }

    /// None: there is no shim.
    fn remover(&self, component: &[u8]) -> Result<Option<Remover>, Error> {
        if self.modules.len() < 2 {
            return Ok(None);
        }
        if !self.instances.first().is_some_and(|first| is_made_of(first, SHIM_MODULE)) {
            return Err(Error::Unknown("its second core module isn't its first instance"));
        }
        let [main, _, fill] = self.modules.as_slice() else {
            return Err(Error::Unknown(
                "it has other core modules than the main one, the shim and what fills its table",
            ));
        };
        let main_instance = self.instances.iter().position(|instance| is_made_of(instance, MAIN_MODULE));
        let main_instance = main_instance.ok_or(Error::Unknown("its main module has no instance"))?;
        let places = self.places(main_instance)?;
        let bytes = |range: &Range<usize>| component.get(range.clone()).unwrap_or_default();
        let first = prune::table_size(bytes(main))?;
        let main = prune::rewrite(bytes(main), Some(TABLE), |module, name| {
            places.get(&(module, name)).map_or(Fate::Imported, |place| Fate::Called(*place))
        })?;
        let fill = Fill { first, size: prune::table_size(&main)? }.rewrite(bytes(fill))?;
        let gone = self.functions.iter().enumerate().filter(|(_, name)| name.is_some()).map(|(index, _)| number(index));
        let (main_instance, gone) = (number(main_instance), gone.collect());
        Ok(Some(Remover { modules: [Some(main), None, Some(fill)].into_iter(), main_instance, gone }))
    }

    /// At which place of the shim's table each import of main stands, by module and name.
    fn places(&self, main: usize) -> Result<BTreeMap<(&'a str, &'a str), u32>, Error> {
        let mut places = BTreeMap::new();
        let Some(Instance::Instantiate { args, .. }) = self.instances.get(main) else { return Ok(places) };
        for argument in args {
            let given = usize::try_from(argument.index).ok().and_then(|index| self.instances.get(index));
            let Some(Instance::FromExports(exports)) = given else {
                return Err(Error::Unknown("its main module is given more than functions"));
            };
            for export in exports {
                let function = usize::try_from(export.index).ok().and_then(|index| self.functions.get(index));
                if let (ExternalKind::Func, Some(Some(name))) = (export.kind, function) {
                    let place = name.parse().map_err(|_| Error::Unknown("its shim's functions aren't numbered"))?;
                    places.insert((argument.name, export.name), place);
                }
            }
        }
        Ok(places)
    }
}

fn is_made_of(instance: &Instance<'_>, module: u32) -> bool {
    matches!(instance, Instance::Instantiate { module_index, .. } if *module_index == module)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn place(range: &Range<u64>) -> Range<usize> {
    let place = |place| usize::try_from(place).unwrap_or(usize::MAX);
    place(range.start)..place(range.end)
}

/// Rewrites the module that fills the table: of main, from this place on.
struct Fill {
    first: u32,
    /// How many places the table has.
    size: u32,
}

impl Fill {
    fn rewrite(&mut self, module: &[u8]) -> Result<Vec<u8>, Error> {
        let mut rewritten = Module::new();
        let result = self.parse_core_module(&mut rewritten, Parser::new(0), module);
        result.map_err(|error: ReencodeError| Error::Wasm(error.to_string()))?;
        Ok(rewritten.finish())
    }
}

impl Reencode for Fill {
    type Error = Infallible;

    fn table_type(&mut self, table: wasmparser::TableType) -> Result<TableType, ReencodeError> {
        let minimum = self.size.into();
        // Main's may have none either.
        Ok(TableType { minimum, maximum: None, ..utils::table_type(self, table)? })
    }

    /// Only the place from which on the table is filled is one.
    fn const_expr(&mut self, _: wasmparser::ConstExpr<'_>) -> Result<ConstExpr, ReencodeError> {
        Ok(ConstExpr::i32_const(self.first.cast_signed()))
    }
}

/// Writes a component anew, without its shim.
struct Remover {
    /// What becomes of the core modules.
    modules: std::array::IntoIter<Option<Vec<u8>>, 3>,
    main_instance: u32,
    /// The core functions that were the shim's.
    gone: BTreeSet<u32>,
}

impl Reencode for Remover {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, ReencodeError> {
        Ok(function.saturating_sub(number(self.gone.range(..function).count())))
    }
}

impl ReencodeComponent for Remover {
    fn module_index(&mut self, module: u32) -> u32 {
        module.saturating_sub(u32::from(module > SHIM_MODULE))
    }

    /// Who asked the shim for its table asks main.
    fn instance_index(&mut self, instance: u32) -> u32 {
        let instance = if instance == SHIM { self.main_instance } else { instance };
        instance.saturating_sub(u32::from(instance > SHIM))
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _: Parser,
        _: &[u8],
    ) -> Result<(), ReencodeError> {
        if let Some(module) = self.modules.next().flatten() {
            component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: &module });
        }
        Ok(())
    }

    /// Its numbers are its own.
    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        _: Parser,
        subcomponent: &[u8],
        _: &[u8],
    ) -> Result<(), ReencodeError> {
        component.section(&RawSection { id: ComponentSectionId::Component.into(), data: subcomponent });
        Ok(())
    }

    fn parse_instance_section(
        &mut self,
        instances: &mut InstanceSection,
        section: InstanceSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        for instance in section {
            match instance? {
                Instance::Instantiate { module_index: SHIM_MODULE, .. } => {}
                Instance::FromExports(exports) => {
                    let is_there = |export: &wasmparser::Export<'_>| {
                        export.kind != ExternalKind::Func || !self.gone.contains(&export.index)
                    };
                    let exports = exports.iter().copied().filter(is_there).collect();
                    component_utils::parse_instance(self, instances, Instance::FromExports(exports))?;
                }
                instance => component_utils::parse_instance(self, instances, instance)?,
            }
        }
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        for alias in section {
            let alias = alias?;
            let is_gone = matches!(
                alias,
                ComponentAlias::CoreInstanceExport { kind: ExternalKind::Func, instance_index: SHIM, .. }
            );
            if !is_gone {
                aliases.alias(self.component_alias(alias)?);
            }
        }
        Ok(())
    }

    /// Names of what isn't there any more help nobody.
    fn parse_component_custom_section(
        &mut self,
        component: &mut Component,
        section: CustomSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        if section.name() == "component-name" {
            return Ok(());
        }
        component_utils::parse_component_custom_section(self, component, section)
    }
}

#[cfg(test)]
#[path = "shim_tests.rs"]
mod tests;
