//! Every identifier type, listed once. All are UUIDv7 (RFC 9562), made at the edge and passed in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// A stream of events; equal to the id of the aggregate it belongs to.
    StreamId,
    /// A venue.
    SiteId,
    /// A bookable unit of a site.
    PitchId,
    /// The smallest piece of ground that can be sold apart.
    CellId,
    /// A price rule of a site.
    TariffId,
    /// A period in which cells of a site cannot be booked.
    ClosureId,
    /// One client, one pitch, one interval.
    ReservationId,
    /// One part of a price that several people pay.
    ShareId,
    /// One movement of money in.
    PaymentId,
    /// One movement of money out.
    RefundId,
    /// One day of one account at a provider, compared with the log.
    ReconciliationId,
    /// A code that takes something off a price.
    PromotionId,
    /// One movement of money to a site.
    PayoutId,
    /// One claim of commission on a site.
    InvoiceId,
    /// The cash drawer of a site.
    TillId,
    /// A person who books.
    ClientId,
    /// A telephone that a client signs in with.
    DeviceId,
    /// One wish to choose another PIN without the one before.
    RecoveryId,
    /// One wish to be known by another number.
    NumberChangeId,
    /// A secret of somebody, such as a PIN: which one counts is an event, the secret itself is none.
    SecretId,
    /// An API key.
    KeyId,
    /// An address to which events are sent.
    EndpointId,
    /// A secret by which what is sent there is signed; the secret itself is not in the log.
    EndpointSecretId,
    /// Whoever acts with a key: a manager, a member of staff, an admin, a service. A client acts under their [`ClientId`].
    PrincipalId,
}

macro_rules! streams {
    ($($name:ident),* $(,)?) => {$(
        impl From<$name> for StreamId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}

streams!(
    SiteId,
    ReservationId,
    PaymentId,
    RefundId,
    ReconciliationId,
    PayoutId,
    InvoiceId,
    ClientId,
    KeyId,
    EndpointId,
    PromotionId,
    TillId,
    PrincipalId
);
