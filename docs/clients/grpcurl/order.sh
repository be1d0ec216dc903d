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

# The stream has no end while the order may still be shipped: grpcurl is ended once it has told what
# is waited for, and by itself after 30 seconds.
exec 3< <(exec grpcurl -plaintext -max-time 30 -d "{\"order_id\": \"$order\"}" \
  "$address" oms.v1.OrderService/WatchOrder)
watching=$!
trap 'kill "$watching" 2> /dev/null || true' EXIT
while read -r entry; do
  echo "$entry"
  case $entry in *'"status":"confirmed"'*) exit 0 ;; esac
done < <(jq --unbuffered -r '.timeline[]? | "version \(.version): \(.event_type) " +
  (if .event_type == "OrderCreated" then "" else .payload end)' <&3)
echo "the watch ended before order $order was confirmed" >&2
exit 1
