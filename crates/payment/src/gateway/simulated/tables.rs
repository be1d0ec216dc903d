//! The gateway's own tables.
#![allow(unreachable_pub, reason = "entities must be pub for their derive")]

/// `accounts`: what the gateway holds of an order; its row is the lock of everything about it.
pub mod account {
    use sea_orm::entity::prelude::*;

    /// An order's account.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        /// The order.
        #[sea_orm(primary_key, auto_increment = false)]
        pub order_id: String,
        /// Everything taken.
        pub captured: i64,
        /// Everything given back.
        pub refunded: i64,
        /// Whether its card takes no refunds.
        pub refuses_refunds: bool,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// `charges`: every movement ever asked for, with its one verdict.
pub mod charge {
    use sea_orm::entity::prelude::*;

    /// A movement of money.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charges")]
    pub struct Model {
        /// The caller's key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub idempotency_key: String,
        /// `capture` or `refund`.
        pub kind: String,
        /// The order.
        pub order_id: String,
        /// Who pays; empty for refunds.
        pub customer_id: String,
        /// How; empty for refunds.
        pub method: String,
        /// In minor units.
        pub amount: i64,
        /// ISO 4217 code.
        pub currency: String,
        /// Whether the money moved.
        pub approved: bool,
        /// Why not; else empty.
        pub code: String,
        /// The same for people.
        pub reason: String,
        /// How often it was asked for.
        pub asks: i64,
        /// When it was decided, microseconds since 1970.
        pub decided_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
