//! The mappings inside the binary: the lowest layer, and what `init` writes.
//!
//! Not here: when they count (`layers`). The invariant: they are the files of the repository's `mappings` folder.

use super::files::Files;

/// Built-in mappings, by path below the mappings folder.
pub(crate) const MAPPINGS: &[(&str, &str)] = &[
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

/// The built-in mappings of a connector, if there are any.
pub fn files(connector: &str) -> Option<Files> {
    let inside = |(path, text): &(&'static str, &'static str)| {
        let (folder, name) = path.split_once('/')?;
        (folder == connector).then_some((name, *text))
    };
    let files: Vec<(&str, &str)> = MAPPINGS.iter().filter_map(inside).collect();
    (!files.is_empty()).then(|| Files::from_memory(&format!("built-in/{connector}"), files))
}
