//! What travels inside the binary, so that `demo` and `init` work in an empty folder.

/// Built-in mappings, by path below the mappings folder.
pub(super) const MAPPINGS: &[(&str, &str)] = &[
    ("dingtalk/department.rhai", include_str!("../../mappings/dingtalk/department.rhai")),
    ("dingtalk/employee.rhai", include_str!("../../mappings/dingtalk/employee.rhai")),
    ("dingtalk/check_in.rhai", include_str!("../../mappings/dingtalk/check_in.rhai")),
    ("dingtalk/attendance_day.rhai", include_str!("../../mappings/dingtalk/attendance_day.rhai")),
    ("dingtalk/tables.yaml", include_str!("../../mappings/dingtalk/tables.yaml")),
    ("feishu/department.rhai", include_str!("../../mappings/feishu/department.rhai")),
    ("feishu/employee.rhai", include_str!("../../mappings/feishu/employee.rhai")),
    ("feishu/check_in.rhai", include_str!("../../mappings/feishu/check_in.rhai")),
    ("feishu/attendance_day.rhai", include_str!("../../mappings/feishu/attendance_day.rhai")),
    ("feishu/tables.yaml", include_str!("../../mappings/feishu/tables.yaml")),
    ("wecom/department.rhai", include_str!("../../mappings/wecom/department.rhai")),
    ("wecom/employee.rhai", include_str!("../../mappings/wecom/employee.rhai")),
    ("wecom/check_in.rhai", include_str!("../../mappings/wecom/check_in.rhai")),
    ("wecom/attendance_day.rhai", include_str!("../../mappings/wecom/attendance_day.rhai")),
    ("wecom/tables.yaml", include_str!("../../mappings/wecom/tables.yaml")),
];

/// Built-in plugins, by file name.
pub(super) const PLUGINS: &[(&str, &[u8])] = &[
    ("dingtalk.wasm", include_bytes!("../../plugins/dingtalk.wasm")),
    ("feishu.wasm", include_bytes!("../../plugins/feishu.wasm")),
    ("rest.wasm", include_bytes!("../../plugins/rest.wasm")),
    ("wecom.wasm", include_bytes!("../../plugins/wecom.wasm")),
];
