//! Takes the imports out of the core module that no guest may use: Rust's std and libc bring some sixty functions of WASI
//! along, and the host provides two. Each becomes a function that traps, inside the module. So there is nothing to
//! link, and an instance is made with as many imports as it can use. Owns which ones stay.

use wasm_encoder::reencode::{Error as ReencodeError, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, ImportSection, Instruction, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, Import, ImportSectionReader, Parser, TypeRef};

/// Why a core module can't be pruned.
#[derive(Debug, thiserror::Error)]
#[error("the core module can't be rewritten: {0}")]
pub struct Error(String);

/// What the host provides of WASI: a module's name without its version, and the function.
const PROVIDED: [(&str, &str); 2] = [("wasi:clocks/monotonic-clock", "now"), ("wasi:clocks/wall-clock", "now")];

/// A module whose only WASI imports are those the host provides.
///
/// Errors: invalid wasm.
pub fn wasi(core: &[u8]) -> Result<Vec<u8>, Error> {
    let mut pruner = Pruner::new(core).map_err(|error| Error(error.to_string()))?;
    let mut module = Module::new();
    let rewritten = pruner.parse_core_module(&mut module, Parser::new(0), core);
    rewritten.map_err(|error: ReencodeError| Error(error.to_string()))?;
    Ok(module.finish())
}

fn is_dropped(module: &str, name: &str) -> bool {
    let interface = module.split('@').next().unwrap_or(module);
    interface.starts_with("wasi:") && !PROVIDED.contains(&(interface, name))
}

/// The functions of a module are numbered imports first. A dropped one moves to the end, behind those that are defined.
struct Pruner {
    /// The type of each imported function, and whether it is dropped.
    imported: Vec<(u32, bool)>,
    defined: u32,
}

impl Pruner {
    fn new(core: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut pruner = Self { imported: Vec::new(), defined: 0 };
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                wasmparser::Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(kind) = import.ty {
                            pruner.imported.push((kind, is_dropped(import.module, import.name)));
                        }
                    }
                }
                wasmparser::Payload::FunctionSection(section) => pruner.defined = section.count(),
                _ => {}
            }
        }
        Ok(pruner)
    }

    fn count(&self, before: usize, dropped: bool) -> u32 {
        let counted = self.imported.iter().take(before).filter(|(_, is_dropped)| *is_dropped == dropped).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    fn dropped_types(&self) -> impl Iterator<Item = u32> {
        self.imported.iter().filter(|(_, dropped)| *dropped).map(|(kind, _)| *kind)
    }
}

impl Reencode for Pruner {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, ReencodeError> {
        let place = usize::try_from(function).unwrap_or(usize::MAX);
        let kept = self.count(usize::MAX, false);
        Ok(match self.imported.get(place) {
            Some((_, false)) => self.count(place, false),
            Some((_, true)) => kept.saturating_add(self.defined).saturating_add(self.count(place, true)),
            None => function.saturating_sub(self.count(usize::MAX, true)),
        })
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        for import in section.into_imports() {
            let import: Import<'_> = import?;
            if !(matches!(import.ty, TypeRef::Func(_)) && is_dropped(import.module, import.name)) {
                utils::parse_import(self, imports, import)?;
            }
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        utils::parse_function_section(self, functions, section)?;
        for kind in self.dropped_types() {
            functions.function(kind);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), ReencodeError> {
        utils::parse_code_section(self, code, section)?;
        for _ in self.dropped_types() {
            let mut trap = Function::new([]);
            trap.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
            code.function(&trap);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "prune_tests.rs"]
mod tests;
