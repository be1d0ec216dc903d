//! `orders`: one row per order.

use sea_orm::entity::prelude::*;

/// An order's row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    /// The order id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Who ordered.
    pub customer_id: String,
    /// The caller's own reference; may be empty.
    pub reference: String,
    /// ISO 4217 code of all its money.
    pub currency: String,
    /// What the lines cost, in minor units.
    pub total_minor: i64,
    /// The lifecycle's status.
    pub status: String,
    /// The status callers see.
    pub shown_status: String,
    /// Timeline entries so far; what callers see as version.
    pub version: i32,
    /// Rises with each save; guards against lost updates and tells other instances of a change.
    pub row_version: i64,
    /// Submitted revisions so far.
    pub revision: i32,
    /// The revision in force.
    pub settled_revision: i32,
    /// Kind of the open run; empty when none is open.
    pub run_kind: String,
    /// The open run's saga id or refund id.
    pub run_id: Option<String>,
    /// When the open run began.
    pub run_started_at: Option<i64>,
    /// When the open pay run ends by itself.
    pub run_deadline: Option<i64>,
    /// The pay run, also after its end.
    pub saga_id: Option<String>,
    /// How it was paid; empty before.
    pub payment_method: String,
    /// Code of the status reason.
    pub reason_code: Option<String>,
    /// Text of the status reason.
    pub reason_message: Option<String>,
    /// Payment's total taken, in minor units.
    pub captured_minor: i64,
    /// Payment's total given back, in minor units.
    pub refunded_minor: i64,
    /// The payment `sequence` of these totals.
    pub ledger_sequence: i64,
    /// Whether the hold is known to be gone.
    pub released: bool,
    /// Whether payment is known to be through.
    pub closed: bool,
    /// Whether the cancellation's refund is known to have failed.
    pub cancel_refund_failed: bool,
    /// Whether the end in REFUNDED asked for the hold back.
    pub release_asked: bool,
    /// Whether the shipment is known to be booked out.
    pub dispatched: bool,
    /// When it was created.
    pub created_at: i64,
    /// When its latest timeline entry was written.
    pub updated_at: i64,
    /// The trace of the latest run, or of the creation.
    pub trace_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
