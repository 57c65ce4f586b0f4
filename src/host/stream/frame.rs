//! The frame of Feishu's long connection.
//!
//! Fields and numbers as in the description that the platform's own clients carry; the first four are required there, so they
//! are written even when they are zero. The invariant: what is not understood is kept, so that an acknowledgement is the
//! frame that came.

/// The method of pings and pongs.
pub(super) const CONTROL: i32 = 0;
/// The method of events.
pub(super) const DATA: i32 = 1;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Frame {
    #[prost(uint64, required, tag = "1")]
    pub(super) seq_id: u64,
    #[prost(uint64, required, tag = "2")]
    pub(super) log_id: u64,
    #[prost(int32, required, tag = "3")]
    pub(super) service: i32,
    #[prost(int32, required, tag = "4")]
    pub(super) method: i32,
    #[prost(message, repeated, tag = "5")]
    pub(super) headers: Vec<Header>,
    #[prost(string, optional, tag = "6")]
    pub(super) payload_encoding: Option<String>,
    #[prost(string, optional, tag = "7")]
    pub(super) payload_type: Option<String>,
    #[prost(bytes = "vec", tag = "8")]
    pub(super) payload: Vec<u8>,
    #[prost(string, optional, tag = "9")]
    pub(super) log_id_new: Option<String>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Header {
    #[prost(string, required, tag = "1")]
    pub(super) key: String,
    #[prost(string, required, tag = "2")]
    pub(super) value: String,
}

impl Frame {
    /// Asks for a sign of life.
    pub(super) fn ping(service: i32) -> Self {
        let header = Header { key: "type".to_owned(), value: "ping".to_owned() };
        Self { service, method: CONTROL, headers: vec![header], ..Self::default() }
    }

    /// The first header of that name.
    pub(super) fn header(&self, key: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.key == key).map(|header| header.value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_ping_is_written_as_the_platforms_own_clients_write_it() {
        // What their generated code makes of the same ping, zeros included.
        let expected = b"\x08\x00\x10\x00\x18\x07\x20\x00\x2a\x0c\x0a\x04type\x12\x04ping";
        assert_eq!(Frame::ping(7).encode_to_vec(), expected);
    }

    #[test]
    fn an_acknowledgement_keeps_everything_but_the_payload() {
        let frame = Frame {
            seq_id: u64::MAX,
            log_id: 9,
            service: -1,
            method: DATA,
            headers: vec![Header { key: "message_id".into(), value: "m1".into() }],
            payload_encoding: Some(String::new()),
            payload_type: Some("json".into()),
            payload: b"{}".to_vec(),
            log_id_new: Some("n".into()),
        };
        let read = Frame::decode(&*frame.encode_to_vec()).unwrap();
        assert_eq!(read, frame);
        assert_eq!(read.header("message_id"), Some("m1"));
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        for bytes in [&b"\x08"[..], b"\x2a\xff\x01a", b"{\"code\":0}", b"\x2a\x03\x0a\x05a"] {
            assert!(Frame::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
