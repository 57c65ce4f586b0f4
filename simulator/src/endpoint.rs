//! A platform's calls as the shared books know them: counts, faults and limits go by endpoint.
//!
//! Not what the calls are: each platform lists its own with [`endpoints`] and reads its own paths. The invariant:
//! within one platform a name and a place belong to exactly one endpoint.

use std::fmt;

/// One call of a platform; every platform's own enum of calls becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    name: &'static str,
    place: usize,
    hands_out_tokens: bool,
}

impl Endpoint {
    pub(crate) const fn new(name: &'static str, place: usize, hands_out_tokens: bool) -> Self {
        Self { name, place, hands_out_tokens }
    }

    /// The short name used in counts and on the command line.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Where it stands in its platform's list.
    pub(crate) const fn place(self) -> usize {
        self.place
    }

    /// Such calls are spared by general faults and limits: nothing else would ever be reached.
    pub(crate) const fn hands_out_tokens(self) -> bool {
        self.hands_out_tokens
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Defines a platform's `Endpoint`: the calls that hand out tokens, then every call with its name.
macro_rules! endpoints {
    (tokens: [$($token:ident),*]; $($(#[doc = $doc:literal])+ $name:ident = $label:literal,)+) => {
        /// One call of the platform; faults, limits and counts go by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Endpoint {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Endpoint {
            /// All of them, in the order in which they are counted.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The same as the shared books know them.
            pub(crate) const SHARED: &'static [$crate::endpoint::Endpoint] =
                &[$(Self::$name.shared(),)+];

            /// The short name used in counts and on the command line.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }

            const fn shared(self) -> $crate::endpoint::Endpoint {
                let hands_out_tokens = matches!(self, $(Self::$token)|*);
                $crate::endpoint::Endpoint::new(self.name(), self as usize, hands_out_tokens)
            }
        }

        impl From<Endpoint> for $crate::endpoint::Endpoint {
            fn from(endpoint: Endpoint) -> Self {
                endpoint.shared()
            }
        }

        impl std::fmt::Display for Endpoint {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use endpoints;

#[cfg(test)]
mod tests {
    use crate::platform::Platform;

    #[test]
    fn names_and_places_are_unique_within_a_platform() {
        for platform in Platform::ALL {
            let endpoints = platform.facts().endpoints;
            let names: std::collections::HashSet<&str> =
                endpoints.iter().map(|endpoint| endpoint.name()).collect();
            assert_eq!(names.len(), endpoints.len(), "{platform}");
            assert!(endpoints.iter().enumerate().all(|(at, endpoint)| endpoint.place() == at));
        }
    }
}
