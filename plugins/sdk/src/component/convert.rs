//! The contract's values in plain Rust to and from their generated form.

use super::bindings::base::rollcall::plugin::{http, types};
use crate::{Advice, Content, Evidence, Fault, Item, Kind, Page, Slice, Window};

impl From<types::Kind> for Kind {
    fn from(kind: types::Kind) -> Self {
        match kind {
            types::Kind::Department => Self::Department,
            types::Kind::Employee => Self::Employee,
            types::Kind::CheckIn => Self::CheckIn,
            types::Kind::AttendanceDay => Self::AttendanceDay,
            types::Kind::Leave => Self::Leave,
        }
    }
}

impl From<Kind> for types::Kind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Department => Self::Department,
            Kind::Employee => Self::Employee,
            Kind::CheckIn => Self::CheckIn,
            Kind::AttendanceDay => Self::AttendanceDay,
            Kind::Leave => Self::Leave,
        }
    }
}

impl From<types::Window> for Window {
    fn from(window: types::Window) -> Self {
        Self { start: window.start, end: window.end }
    }
}

impl From<Item> for types::Item {
    fn from(item: Item) -> Self {
        Self { id: item.id, payload: item.payload }
    }
}

impl From<Slice<http::Response>> for types::Slice {
    fn from(slice: Slice<http::Response>) -> Self {
        Self { response: slice.response, items: slice.items, id: slice.id }
    }
}

impl From<Content<http::Response>> for types::Content {
    fn from(content: Content<http::Response>) -> Self {
        match content {
            Content::Sliced(slice) => Self::Sliced(slice.into()),
            Content::Built(items) => Self::Built(items.into_iter().map(Into::into).collect()),
            Content::Empty => Self::Empty,
        }
    }
}

impl From<Evidence> for types::Evidence {
    fn from(evidence: Evidence) -> Self {
        Self { scope: evidence.scope, total: evidence.total }
    }
}

impl From<Page<http::Response>> for types::Page {
    fn from(page: Page<http::Response>) -> Self {
        Self {
            content: page.content.into(),
            next: page.next,
            evidence: page.evidence.map(Into::into),
        }
    }
}

impl From<Advice> for types::Advice {
    fn from(advice: Advice) -> Self {
        Self { code: advice.code, message: advice.message, remedy: advice.remedy }
    }
}

impl From<Fault> for types::Fault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unauthorized(advice) => Self::Unauthorized(advice.into()),
            Fault::Forbidden(advice) => Self::Forbidden(advice.into()),
            Fault::RateLimited(wait_ms) => Self::RateLimited(wait_ms),
            Fault::NotFound => Self::NotFound,
            Fault::Invalid(advice) => Self::Invalid(advice.into()),
            Fault::StaleCursor => Self::StaleCursor,
            Fault::Unavailable(advice) => Self::Unavailable(advice.into()),
            Fault::Unsupported => Self::Unsupported,
        }
    }
}
