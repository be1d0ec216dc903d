#!/usr/bin/env bash
# Creates an order, pays it and watches it until it is CONFIRMED. Usage: order.sh [ADDRESS]
set -euo pipefail
address=${1:-localhost:50051}
# A key of this purchase: whoever repeats a call with it gets the first answer again.
key="example-$(date +%s%N)"

call() {
  grpcurl -plaintext -max-time 10 -H "idempotency-key: $1" -d "$3" \
    "$address" "oms.v1.OrderService/$2"
}

order=$(call "$key-create" CreateOrder '{
  "customer_id": "customer-123",
  "currency": "USD",
  "items": [{"sku": "SKU-001", "qty": 2, "price": {"currency": "USD", "amount_minor": 10000}}],
  "reference": "example"
}' | jq -r '.order_id')
paid=$(call "$key-pay" PayOrder "{\"order_id\": \"$order\"}" | jq -r '.status')
echo "order $order: $paid"

# The stream has no end while the order may still be shipped: stop at what we wait for. The watch
# is told to end by its time, which is no failure once that was seen.
seen=$({
  grpcurl -plaintext -max-time 30 -d "{\"order_id\": \"$order\"}" \
    "$address" oms.v1.OrderService/WatchOrder 2> /dev/null || true
} | jq --unbuffered -r '.timeline[]? | "version \(.version): \(.event_type) \(.payload)"' |
  sed -u -e '/OrderCreated/s/ {.*//' -e '/"status":"confirmed"/q')
echo "$seen"
grep -q '"status":"confirmed"' <<< "$seen"
