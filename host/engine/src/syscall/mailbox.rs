//! `mailbox.send`: the data plane. A destination given by pid never touches the kernel's lock, whatever policies say.

use lunarium_kernel::{Message, Unread, action};

use crate::bindings::lunarium::process::mailbox::Host;
use crate::bindings::lunarium::process::types;
use crate::convert;
use crate::store::StoreData;

impl Host for StoreData {
    fn send(
        &mut self,
        destination: String,
        topic: String,
        payload: Vec<u8>,
        unread: types::Unread,
    ) -> Result<(), types::Refusal> {
        self.process.report_unread(Unread { messages: unread.messages, bytes: unread.bytes });
        let topic = lunarium_kernel::Topic::new(&topic).map_err(convert::refusal)?;
        let target = self.node.find(Some(&self.process), &destination).map_err(convert::refusal)?;
        self.authorize(action::SEND, target.label.pid.as_str())?;
        let sender = Some(self.process.label.pid.clone());
        target.send(Message { sender, topic, payload }).map_err(convert::refusal)
    }
}
