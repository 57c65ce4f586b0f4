//! The component side of the sdk: generated bindings, the imports as a [`Host`](crate::Host), the exports over the
//! plugin's traits. Only there on `wasm32`.
//!
//! What this is not: logic. The one invariant: conversions lose nothing and decide nothing.

mod convert;
mod exports;
mod imports;

pub use bindings::{attendance, callback, directory, plugin, target};
pub use imports::Imports;

/// Every text that comes from the host takes a piece of the guest's memory, so an allocator that is fast with small pieces
/// counts; the target's own is neither that nor small. A plugin has no other, for a crate has one.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

mod bindings {
    /// What every guest may import, generated once.
    pub(crate) mod base {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-base;
                world base {
                    include rollcall:plugin/imports@0.1.0;
                    import rollcall:plugin/types@0.1.0;
                }
            ",
            generate_all,
        });
    }

    /// The interface `plugin`.
    pub mod plugin {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-plugin;
                world plugin { export rollcall:plugin/plugin@0.1.0; }
            ",
            with: {
                "rollcall:plugin/http@0.1.0": crate::component::bindings::base::rollcall::plugin::http,
                "rollcall:plugin/types@0.1.0": crate::component::bindings::base::rollcall::plugin::types,
                "rollcall:plugin/plugin@0.1.0": generate,
            },
            pub_export_macro: true,
        });
    }

    /// The interface `directory`.
    pub mod directory {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-directory;
                world directory { export rollcall:plugin/directory@0.1.0; }
            ",
            with: {
                "rollcall:plugin/http@0.1.0": crate::component::bindings::base::rollcall::plugin::http,
                "rollcall:plugin/types@0.1.0": crate::component::bindings::base::rollcall::plugin::types,
                "rollcall:plugin/directory@0.1.0": generate,
            },
            pub_export_macro: true,
        });
    }

    /// The interface `attendance`.
    pub mod attendance {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-attendance;
                world attendance { export rollcall:plugin/attendance@0.1.0; }
            ",
            with: {
                "rollcall:plugin/http@0.1.0": crate::component::bindings::base::rollcall::plugin::http,
                "rollcall:plugin/types@0.1.0": crate::component::bindings::base::rollcall::plugin::types,
                "rollcall:plugin/attendance@0.1.0": generate,
            },
            pub_export_macro: true,
        });
    }

    /// The interface `callback`.
    pub mod callback {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-callback;
                world callback { export rollcall:plugin/callback@0.1.0; }
            ",
            with: {
                "rollcall:plugin/http@0.1.0": crate::component::bindings::base::rollcall::plugin::http,
                "rollcall:plugin/types@0.1.0": crate::component::bindings::base::rollcall::plugin::types,
                "rollcall:plugin/callback@0.1.0": generate,
            },
            pub_export_macro: true,
        });
    }

    /// The interface `target`.
    pub mod target {
        wit_bindgen::generate!({
            path: "../wit/since_v0_1",
            inline: "
                package rollcall:guest-target;
                world target { export rollcall:plugin/target@0.1.0; }
            ",
            with: {
                "rollcall:plugin/http@0.1.0": crate::component::bindings::base::rollcall::plugin::http,
                "rollcall:plugin/types@0.1.0": crate::component::bindings::base::rollcall::plugin::types,
                "rollcall:plugin/target@0.1.0": generate,
            },
            pub_export_macro: true,
        });
    }
}
