//! Landlock: which files can be opened, changed, made and removed, and that neither TCP nor other processes are reached.
//!
//! Owns what reading and writing below a directory mean. What the kernel is too old for is left out and told, but for one
//! thing: see [`restrict`].

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
};

use crate::{Given, Hold};

/// What this is written for. A later version can restrict more, and may do so to what is needed here.
const KNOWN: ABI = ABI::V6;

/// What a directory given for reading allows.
fn reading() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{ReadFile | ReadDir})
}

/// What one given for writing allows beyond that. No devices, sockets, pipes and links, and no program.
fn writing() -> BitFlags<AccessFs> {
    make_bitflags!(AccessFs::{WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer})
}

/// What holds.
pub(crate) struct Restricted {
    pub(crate) no_new_privs: Hold,
    pub(crate) landlock: Hold,
}

/// Restricts the calling thread and those it starts, and takes from it the chance of new privileges.
///
/// Linux 5.13 to 5.18 have a Landlock under which no file can be moved from one directory to another, whatever is
/// allowed. With a directory given for writing they do without it: what was given must work.
pub(crate) fn restrict(directories: &[Given<'_>], sockets: bool) -> Restricted {
    match ruleset(directories, sockets) {
        Ok(status) => Restricted {
            no_new_privs: if status.no_new_privs { Hold::Yes } else { Hold::No("the kernel has none".to_owned()) },
            landlock: landlock(&status),
        },
        Err(error) => Restricted { no_new_privs: Hold::No(error.to_string()), landlock: Hold::No(error.to_string()) },
    }
}

fn ruleset(directories: &[Given<'_>], sockets: bool) -> Result<RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default();
    if directories.iter().any(|given| given.write) {
        rules = rules.set_compatibility(CompatLevel::SoftRequirement).handle_access(AccessFs::Refer)?;
    }
    rules = rules.set_compatibility(CompatLevel::BestEffort);
    rules = rules.handle_access(AccessFs::from_all(KNOWN))?.scope(Scope::from_all(KNOWN))?;
    if !sockets {
        rules = rules.handle_access(AccessNet::from_all(KNOWN))?;
    }
    let mut created = rules.create()?;
    for given in directories {
        let access = if given.write { reading() | writing() } else { reading() };
        created = created.add_rule(PathBeneath::new(given.directory, access))?;
    }
    created.restrict_self()
}

fn landlock(status: &RestrictionStatus) -> Hold {
    let why = match (status.landlock, &status.ruleset) {
        (_, RulesetStatus::FullyEnforced) => return Hold::Yes,
        (LandlockStatus::Available { effective_abi, .. }, RulesetStatus::PartiallyEnforced) => {
            return Hold::Part(format!(
                "the kernel's Landlock is version {} of {}",
                effective_abi as i32, KNOWN as i32
            ));
        }
        (LandlockStatus::NotEnabled, _) => "Landlock is switched off",
        (LandlockStatus::NotImplemented, _) => "the kernel has no Landlock",
        _ => "under the kernel's Landlock no file could be moved between directories",
    };
    Hold::No(why.to_owned())
}
