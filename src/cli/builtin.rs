//! What travels inside the binary, so that `demo` and `init` work in an empty folder.

pub(super) use crate::mapping::builtin::MAPPINGS;

/// Built-in plugins, by file name.
pub(super) const PLUGINS: &[(&str, &[u8])] = &[
    ("dingtalk.wasm", include_bytes!("../../plugins/dingtalk.wasm")),
    ("feishu.wasm", include_bytes!("../../plugins/feishu.wasm")),
    ("rest.wasm", include_bytes!("../../plugins/rest.wasm")),
    ("wecom.wasm", include_bytes!("../../plugins/wecom.wasm")),
];
