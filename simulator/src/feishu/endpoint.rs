//! The calls of Feishu that the simulator answers, and how a path names one.
//!
//! Not their answers. The invariant: every known path belongs to exactly one endpoint and one method.

use crate::endpoint::endpoints;
use crate::exchange::Verb;

endpoints! {
    tokens: [TenantToken, AppToken, StreamEndpoint];
    /// `POST auth/v3/tenant_access_token/internal`.
    TenantToken = "tenant_token",
    /// `POST auth/v3/app_access_token/internal`.
    AppToken = "app_token",
    /// `GET contact/v3/departments/{id}/children`.
    Children = "children",
    /// `GET contact/v3/departments/{id}`.
    Department = "department",
    /// `GET contact/v3/departments/batch`.
    DepartmentBatch = "department_batch",
    /// `GET contact/v3/departments/parent`.
    DepartmentParents = "department_parents",
    /// `GET contact/v3/users/find_by_department`.
    UsersByDepartment = "users_by_department",
    /// `GET contact/v3/users/{id}`.
    User = "user",
    /// `GET contact/v3/users/batch`.
    UserBatch = "user_batch",
    /// `POST contact/v3/users/batch_get_id`.
    UserIds = "user_ids",
    /// `GET contact/v3/scopes`.
    Scopes = "scopes",
    /// `GET contact/v3/custom_attrs`.
    CustomAttrs = "custom_attrs",
    /// `GET contact/v3/employee_type_enums`.
    EmployeeTypes = "employee_types",
    /// `POST attendance/v1/user_flows/query`.
    UserFlows = "user_flows",
    /// `GET attendance/v1/user_flows/{id}`.
    UserFlow = "user_flow",
    /// `POST attendance/v1/user_tasks/query`.
    UserTasks = "user_tasks",
    /// `POST attendance/v1/user_approvals/query`.
    UserApprovals = "user_approvals",
    /// `GET attendance/v1/groups`.
    Groups = "groups",
    /// `GET attendance/v1/groups/{id}`.
    Group = "group",
    /// `GET attendance/v1/shifts`.
    Shifts = "shifts",
    /// `GET attendance/v1/shifts/{id}`.
    Shift = "shift",
    /// `POST /callback/ws/endpoint`: the address of a long connection.
    StreamEndpoint = "stream_endpoint",
    /// The long connection itself.
    Stream = "stream",
    /// Any other path.
    Unknown = "unknown",
}

/// A path, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'a> {
    pub endpoint: Endpoint,
    /// Still percent-encoded.
    pub id: Option<&'a str>,
    pub verb: Verb,
}

impl<'a> Route<'a> {
    /// `None` for a path that the platform does not have.
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        use Endpoint as E;
        if path == super::stream::ENDPOINT_PATH {
            return Some(Self { endpoint: E::StreamEndpoint, id: None, verb: Verb::Post });
        }
        let parts: Vec<&str> = path.strip_prefix("/open-apis/")?.split('/').collect();
        let get = |endpoint| Some(Self { endpoint, id: None, verb: Verb::Get });
        let get_one = |endpoint, id| Some(Self { endpoint, id: Some(id), verb: Verb::Get });
        let post = |endpoint| Some(Self { endpoint, id: None, verb: Verb::Post });
        match parts[..] {
            ["auth", "v3", "tenant_access_token", "internal"] => post(E::TenantToken),
            ["auth", "v3", "app_access_token", "internal"] => post(E::AppToken),
            ["contact", "v3", "departments", "batch"] => get(E::DepartmentBatch),
            ["contact", "v3", "departments", "parent"] => get(E::DepartmentParents),
            ["contact", "v3", "departments", id] => get_one(E::Department, id),
            ["contact", "v3", "departments", id, "children"] => get_one(E::Children, id),
            ["contact", "v3", "users", "find_by_department"] => get(E::UsersByDepartment),
            ["contact", "v3", "users", "batch"] => get(E::UserBatch),
            ["contact", "v3", "users", "batch_get_id"] => post(E::UserIds),
            ["contact", "v3", "users", id] => get_one(E::User, id),
            ["contact", "v3", "scopes"] => get(E::Scopes),
            ["contact", "v3", "custom_attrs"] => get(E::CustomAttrs),
            ["contact", "v3", "employee_type_enums"] => get(E::EmployeeTypes),
            ["attendance", "v1", "user_flows", "query"] => post(E::UserFlows),
            ["attendance", "v1", "user_flows", id] => get_one(E::UserFlow, id),
            ["attendance", "v1", "user_tasks", "query"] => post(E::UserTasks),
            ["attendance", "v1", "user_approvals", "query"] => post(E::UserApprovals),
            ["attendance", "v1", "groups"] => get(E::Groups),
            ["attendance", "v1", "groups", id] => get_one(E::Group, id),
            ["attendance", "v1", "shifts"] => get(E::Shifts),
            ["attendance", "v1", "shifts", id] => get_one(E::Shift, id),
            _ => None,
        }
        .filter(|route| route.id != Some(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_words_win_over_ids() {
        let of = |path: &'static str| Route::of(path).map(|route| (route.endpoint, route.id));
        assert_eq!(
            of("/open-apis/contact/v3/departments/0/children"),
            Some((Endpoint::Children, Some("0")))
        );
        assert_eq!(
            of("/open-apis/contact/v3/departments/batch"),
            Some((Endpoint::DepartmentBatch, None))
        );
        assert_eq!(of("/open-apis/contact/v3/users/ou_a"), Some((Endpoint::User, Some("ou_a"))));
        assert_eq!(of("/open-apis/contact/v3/users/"), None);
        assert_eq!(of("/contact/v3/users/ou_a"), None);
    }
}
