//! Takes imports out of a core module, and puts functions of the module's own in their place. Owns what becomes of an import,
//! and which of WASI's stay: Rust's std and libc bring some sixty functions along, and the host provides two. Each of the others
//! becomes a function that traps. So there is nothing to link, and an instance is made with as many imports as it can use.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, utils};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Instruction, Module, NameMap,
    NameSection, TableSection,
};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ExportSectionReader, FunctionSectionReader, Import, ImportSectionReader,
    Name, NameSectionReader, Parser, Payload, Table, TypeRef,
};

/// Why a core module can't be pruned.
#[derive(Debug, thiserror::Error)]
#[error("the core module can't be rewritten: {0}")]
pub struct Error(String);

/// What the host provides of WASI: a module's name without its version, and the function.
const PROVIDED: [(&str, &str); 2] = [("wasi:clocks/monotonic-clock", "now"), ("wasi:clocks/wall-clock", "now")];

/// What becomes of an imported function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays an import.
    Imported,
    /// It traps.
    Traps,
    /// It is called through the module's first table, at this place behind all that the table has.
    Called(u32),
}

/// A module whose only WASI imports are those the host provides.
///
/// Errors: invalid wasm.
pub fn wasi(core: &[u8]) -> Result<Vec<u8>, Error> {
    rewrite(core, None, |module, name| {
        let interface = module.split('@').next().unwrap_or(module);
        let dropped = interface.starts_with("wasi:") && !PROVIDED.contains(&(interface, name));
        if dropped { Fate::Traps } else { Fate::Imported }
    })
}

/// A module whose imported functions have the fate that `fate` tells by module and name. With `table`, its first table is
/// exported under this name, and has as many places more as there are functions that are called through it.
///
/// Errors: invalid wasm.
pub fn rewrite(core: &[u8], table: Option<&str>, fate: impl Fn(&str, &str) -> Fate) -> Result<Vec<u8>, Error> {
    let mut pruner = Pruner::new(core, table, fate).map_err(|error| Error(error.to_string()))?;
    let mut module = Module::new();
    let rewritten = pruner.parse_core_module(&mut module, Parser::new(0), core);
    rewritten.map_err(|error: ReencodeError| Error(error.to_string()))?;
    Ok(module.finish())
}

/// How many places a module's first table has; 0: it has no table.
///
/// Errors: invalid wasm.
pub fn table_size(core: &[u8]) -> Result<u32, Error> {
    let size = || -> Result<u64, wasmparser::BinaryReaderError> {
        for payload in Parser::new(0).parse_all(core) {
            if let Payload::TableSection(section) = payload? {
                return section.into_iter().next().transpose().map(|table| table.map_or(0, |table| table.ty.initial));
            }
        }
        Ok(0)
    };
    let size = size().map_err(|error| Error(error.to_string()))?;
    u32::try_from(size).map_err(|_| Error(format!("its table has {size} places")))
}

/// The functions of a module are numbered imports first. One that is no import any more moves to the end, behind those that are
/// defined.
struct Pruner<'a> {
    /// The type of each imported function, and what becomes of it.
    imported: Vec<(u32, Fate)>,
    /// How many parameters the functions of each type have.
    parameters: Vec<u32>,
    defined: u32,
    /// How many places the first table has.
    places: u32,
    /// The name under which that is exported.
    table: Option<&'a str>,
}

impl<'a> Pruner<'a> {
    fn new(
        core: &[u8],
        table: Option<&'a str>,
        fate: impl Fn(&str, &str) -> Fate,
    ) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut pruner = Self { imported: Vec::new(), parameters: Vec::new(), defined: 0, places: 0, table };
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        pruner.parameters.extend(group?.into_types().map(|kind| match &kind.composite_type.inner {
                            CompositeInnerType::Func(function) => length(function.params().len()),
                            _ => 0,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(kind) = import.ty {
                            pruner.imported.push((kind, fate(import.module, import.name)));
                        }
                    }
                }
                Payload::FunctionSection(section) => pruner.defined = section.count(),
                Payload::TableSection(section) => {
                    let first = section.into_iter().next().transpose()?;
                    pruner.places = first.map_or(0, |table| u32::try_from(table.ty.initial).unwrap_or(u32::MAX));
                }
                _ => {}
            }
        }
        Ok(pruner)
    }

    /// How many of the first imports stay, or go.
    fn count(&self, before: usize, stays: bool) -> u32 {
        let counted = self.imported.iter().take(before).filter(|(_, fate)| (*fate == Fate::Imported) == stays);
        length(counted.count())
    }

    /// Those that go.
    fn gone(&self) -> impl Iterator<Item = &(u32, Fate)> {
        self.imported.iter().filter(|(_, fate)| *fate != Fate::Imported)
    }

    fn called(&self) -> u64 {
        self.imported.iter().filter(|(_, fate)| matches!(fate, Fate::Called(_))).count() as u64
    }

    /// The function in an import's place.
    fn body(&self, kind: u32, fate: Fate) -> Function {
        let mut body = Function::new([]);
        match fate {
            Fate::Called(place) => {
                let parameters = usize::try_from(kind).ok().and_then(|kind| self.parameters.get(kind));
                (0..parameters.copied().unwrap_or_default()).for_each(|parameter| {
                    body.instruction(&Instruction::LocalGet(parameter));
                });
                let place = self.places.saturating_add(place).cast_signed();
                body.instruction(&Instruction::I32Const(place));
                body.instruction(&Instruction::CallIndirect { type_index: kind, table_index: 0 });
            }
            Fate::Traps | Fate::Imported => {
                body.instruction(&Instruction::Unreachable);
            }
        }
        body.instruction(&Instruction::End);
        body
    }
}

fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Reencode for Pruner<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, ReencodeError> {
        let place = usize::try_from(function).unwrap_or(usize::MAX);
        let kept = self.count(usize::MAX, true);
        Ok(match self.imported.get(place) {
            Some((_, Fate::Imported)) => self.count(place, true),
            Some(_) => kept.saturating_add(self.defined).saturating_add(self.count(place, false)),
            None => function.saturating_sub(self.count(usize::MAX, false)),
        })
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        let mut fates = self.imported.clone().into_iter().map(|(_, fate)| fate);
        for import in section.into_imports() {
            let import: Import<'_> = import?;
            if !matches!(import.ty, TypeRef::Func(_)) || fates.next() == Some(Fate::Imported) {
                utils::parse_import(self, imports, import)?;
            }
        }
        Ok(())
    }

    /// Of a build that wasn't stripped, to be profiled: names stand in the order of the functions.
    fn custom_name_section(&mut self, section: NameSectionReader<'_>) -> Result<NameSection, ReencodeError> {
        let mut functions = BTreeMap::new();
        for names in section {
            let Name::Function(names) = names? else { continue };
            for name in names {
                let name = name?;
                functions.insert(self.function_index(name.index)?, name.name);
            }
        }
        let mut names = NameMap::new();
        functions.into_iter().for_each(|(function, name)| names.append(function, name));
        let mut section = NameSection::new();
        section.functions(&names);
        Ok(section)
    }

    fn parse_table(&mut self, tables: &mut TableSection, mut table: Table<'_>) -> Result<(), ReencodeError> {
        if tables.is_empty() && self.table.is_some() {
            let called = self.called();
            table.ty.initial = table.ty.initial.saturating_add(called);
            table.ty.maximum = table.ty.maximum.map(|maximum| maximum.saturating_add(called));
        }
        utils::parse_table(self, tables, table)
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        utils::parse_export_section(self, exports, section)?;
        if let Some(name) = self.table {
            exports.export(name, ExportKind::Table, 0);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        utils::parse_function_section(self, functions, section)?;
        self.gone().for_each(|(kind, _)| {
            functions.function(*kind);
        });
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        utils::parse_code_section(self, code, section)?;
        self.gone().for_each(|(kind, fate)| {
            code.function(&self.body(*kind, *fate));
        });
        Ok(())
    }
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
