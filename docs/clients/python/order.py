"""Creates an order, pays it and watches it until it is CONFIRMED.

Usage: order.py [ADDRESS]
"""

import itertools
import pathlib
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

# The .proto files of the repository are found on the path, as modules are.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "proto"))
oms, services = grpc.protos_and_services("oms/v1/order_service.proto")

DEADLINE_S = 10
TRIES = 5
PAUSE_S = 0.5
MAY_BE_REPEATED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)


def details(error, kind):
    """The detail of this kind that an error carries, or None."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        found = kind()
        if detail.Unpack(found):
            return found
    return None


def call(method, request, key):
    """Calls until there is an answer; the key makes that safe."""
    for attempt in itertools.count(1):
        try:
            return method(request, timeout=DEADLINE_S, metadata=[("idempotency-key", key)])
        except grpc.RpcError as error:
            if error.code() not in MAY_BE_REPEATED or attempt == TRIES:
                raise
            hint = details(error, error_details_pb2.RetryInfo)
            time.sleep(hint.retry_delay.ToMicroseconds() / 1e6 if hint else PAUSE_S)


def watch(orders, order_id, until):
    """Every timeline entry up to the wanted status, each once, also when the stream breaks."""
    seen, attempt = 0, 1
    while True:
        request = oms.WatchOrderRequest(order_id=order_id, after_version=seen)
        try:
            for answer in orders.WatchOrder(request, timeout=30):
                for entry in answer.timeline:
                    seen, attempt = entry.version, 1
                    yield entry
                if answer.order.lifecycle_status == until:
                    return
            return
        except grpc.RpcError as error:
            # So often in a row without anything new.
            if error.code() not in MAY_BE_REPEATED or attempt == TRIES:
                raise
            attempt += 1
            time.sleep(PAUSE_S)


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "localhost:50051"
    with grpc.insecure_channel(address) as channel:
        orders = services.OrderServiceStub(channel)
        item = oms.CreateOrderRequest.Item(
            sku="SKU-001", qty=2, price={"currency": "USD", "amount_minor": 10000}
        )
        wish = oms.CreateOrderRequest(customer_id="customer-123", currency="USD", items=[item])
        key = str(uuid.uuid4())
        order_id = call(orders.CreateOrder, wish, f"create-{key}").order_id
        payment = oms.PayOrderRequest(order_id=order_id)
        paid = call(orders.PayOrder, payment, f"pay-{key}")
        print(f"order {order_id}: {oms.OrderStatus.Name(paid.status)}")
        for entry in watch(orders, order_id, oms.ORDER_STATUS_CONFIRMED):
            payload = "" if entry.event_type == "OrderCreated" else f" {entry.payload}"
            print(f"version {entry.version}: {entry.event_type}{payload}")
        try:
            call(orders.PayOrder, payment, f"again-{key}")
        except grpc.RpcError as error:
            info = details(error, error_details_pb2.ErrorInfo)
            reason = info.reason if info else "without a reason"
            told = f"{error.code().name}, {reason}: {error.details()}"
            print(f"a second payment is refused: {told}")


if __name__ == "__main__":
    main()
