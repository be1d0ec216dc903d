//! What ShipOrder and CompleteOrder refuse at once.

use oms_proto::oms_v1::{CompleteOrderRequest, ShipOrderRequest};

use super::{
    stage::Stage,
    wishes::{NO_IDS, UNKNOWN},
};
use crate::served::{complete, keyed, ship};

pub(super) async fn ship_order(stage: &mut Stage) {
    const METHOD: &str = "ShipOrder";
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.ship_order(keyed("ship-free", ship(id)))).await;
    }
    let confirmed = stage.confirmed.clone();
    stage.refused(METHOD, client.ship_order(keyed("", ship(&confirmed)))).await;
    stage.refused(METHOD, client.ship_order(keyed("", ship("")))).await;
    stage.refused(METHOD, client.ship_order(keyed("used", ship(&confirmed)))).await;
    let expected_version = Some(i32::MAX);
    let request = ShipOrderRequest { expected_version, ..ship(&confirmed) };
    stage.refused(METHOD, client.ship_order(request)).await;
    for order in stage.not_confirmed() {
        stage.refused(METHOD, client.ship_order(keyed("ship-free", ship(&order)))).await;
    }
}

pub(super) async fn complete_order(stage: &mut Stage) {
    const METHOD: &str = "CompleteOrder";
    let mut client = stage.client();
    for id in ["", UNKNOWN].into_iter().chain(NO_IDS) {
        stage.refused(METHOD, client.complete_order(keyed("done-free", complete(id)))).await;
    }
    let confirmed = stage.confirmed.clone();
    stage.refused(METHOD, client.complete_order(keyed("", complete(&confirmed)))).await;
    stage.refused(METHOD, client.complete_order(keyed("", complete("")))).await;
    stage.refused(METHOD, client.complete_order(keyed("used", complete(&confirmed)))).await;
    let expected_version = Some(-1);
    let request = CompleteOrderRequest { expected_version, ..complete(&confirmed) };
    stage.refused(METHOD, client.complete_order(request)).await;
    for order in stage.not_confirmed().into_iter().chain([confirmed]) {
        stage.refused(METHOD, client.complete_order(keyed("done-free", complete(&order)))).await;
    }
}
