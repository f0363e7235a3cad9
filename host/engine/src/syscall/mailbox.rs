//! `mailbox.send`, and what the caller listens on: the data plane. It never touches the kernel's lock, whatever policies say.

use lunarium_kernel::{Message, Topic, Unread, action};

use crate::node::Caller;
use crate::wasm::imports::{mailbox::Host, types};
use crate::wasm::{CallError, Stopped};

impl Caller {
    /// Notes what the caller holds unread, under its inbox's lock only where that has changed.
    pub(super) fn tell_unread(&mut self, unread: types::Unread) -> Result<(), Stopped> {
        let who = self.living()?;
        let unread = Unread { messages: unread.messages, bytes: unread.bytes };
        if self.sent.unread != Some(unread) {
            who.process.report_unread(unread);
            self.sent.unread = Some(unread);
        }
        Ok(())
    }

    fn send_as(
        &mut self,
        destination: &str,
        topic: &str,
        payload: Vec<u8>,
        unread: types::Unread,
    ) -> Result<(), CallError> {
        self.tell_unread(unread)?;
        let topic = self.sent.topic(topic)?;
        let target = self.target(destination)?;
        let who = self.living()?;
        who.authorize(action::SEND, target.pid.as_str())?;
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
        let sent = self.send_as(&destination, &topic, payload, unread);
        self.noting(action::SEND, &destination, sent)
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
