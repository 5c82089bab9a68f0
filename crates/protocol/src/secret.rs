//! Secrets of 32 random bytes that two people share: wiped when they are dropped, and never printed.

/// Makes a type of such secrets.
macro_rules! shared_secret {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $Name([u8; 32]);

        impl core::fmt::Debug for $Name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($Name), "(..)"))
            }
        }

        impl $Name {
            /// A fresh random one.
            #[must_use]
            pub fn random(dice: &mut impl rand_core::CryptoRng) -> Self {
                let mut secret = [0; 32];
                dice.fill_bytes(&mut secret);
                Self(secret)
            }

            /// From stored bytes, or from those of a message.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes, to be stored or said to the other side.
            #[must_use]
            pub const fn to_bytes(&self) -> [u8; 32] {
                self.0
            }
        }
    };
}

pub(crate) use shared_secret;
