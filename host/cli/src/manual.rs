//! What is made of the command line's own description: completions for shells, and pages of the manual.
//!
//! Owns nothing but where they are written to: standard output.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::Refused;
use crate::arguments::Arguments;
use crate::verdict::SUCCESS;

/// `lunarium completions`
pub fn completions(shell: Shell) -> Result<u8, Refused> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "lunarium", &mut text);
    write(&text)
}

/// `lunarium man`: the page of a command, or of all of them.
///
/// Errors: there is no such command.
pub fn page(command: Option<&str>) -> Result<u8, Refused> {
    let mut all = Arguments::command();
    // Names the commands in full, as the pages call them.
    all.build();
    let page = match command {
        None => all,
        Some(name) => find(&all, name)?,
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|error| Refused::machine(error.to_string()))?;
    write(&text)
}

fn find(all: &Command, name: &str) -> Result<Command, Refused> {
    let names: Vec<&str> = all.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
    match all.find_subcommand(name).filter(|_| name != "help") {
        Some(command) => Ok(command.clone()),
        None => Err(Refused::usage(format!("there is no command `{name}`"), lunarium_app::hint(name, &names))),
    }
}

fn write(text: &[u8]) -> Result<u8, Refused> {
    match io::stdout().write_all(text).and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(SUCCESS),
        Err(error) => Refused::output(&error),
    }
}
