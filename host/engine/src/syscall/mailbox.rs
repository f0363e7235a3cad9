//! `mailbox.send`, and what the caller listens on: the data plane. It never touches the kernel's lock, whatever policies say.

use lunarium_kernel::{Message, Topic, Unread, action};

use crate::node::{Caller, Who};
use crate::wasm::imports::{mailbox::Host, types};
use crate::wasm::{CallError, Stopped};

impl Caller {
    fn send_as(&self, who: &Who, destination: &str, topic: &str, payload: Vec<u8>) -> Result<(), CallError> {
        let topic = Topic::new(topic)?;
        let target = self.permitted(action::SEND, destination)?;
        let message = Message::new(Some(who.process.pid.clone()), topic, payload.into());
        // The dead are silent: nobody gets a message of who has ended.
        let sent = who.process.life.speak(|| target.send(message));
        Ok(sent.ok_or(Stopped::Killed)??)
    }
}

impl Host for Caller {
    fn send(
        &mut self,
        destination: String,
        topic: String,
        payload: Vec<u8>,
        unread: types::Unread,
    ) -> Result<(), CallError> {
        let who = self.living()?;
        who.process.report_unread(Unread { messages: unread.messages, bytes: unread.bytes });
        self.noting(action::SEND, &destination, self.send_as(who, &destination, &topic, payload))
    }

    fn listen(&mut self, topic: String) -> Result<(), CallError> {
        let process = &self.living()?.process;
        Ok(process.listen(Topic::new(&topic)?)?)
    }

    fn unlisten(&mut self, topic: String) -> wasmtime::Result<()> {
        let process = &self.living()?.process;
        if let Ok(topic) = Topic::new(&topic) {
            process.unlisten(&topic);
        }
        Ok(())
    }

    fn listen_to_all(&mut self) -> wasmtime::Result<()> {
        self.living()?.process.listen_to_all();
        Ok(())
    }
}
