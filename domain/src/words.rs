//! Sets of names.

/// Defines what has a name in JSON and wherever it is kept.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident $count:literal { $(#[doc = $about:literal] $variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = $about] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: [Self; $count] = [$(Self::$variant),*];

            /// Its name in JSON and wherever it is kept.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What it means, in a sentence.
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about.trim_ascii(),)*
                }
            }

            /// What goes by that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|word| word.as_str() == name)
            }
        }
    };
}

pub(crate) use words;
