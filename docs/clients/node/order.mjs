// Creates an order, pays it and watches it until it is CONFIRMED. Usage: order.mjs [ADDRESS]
// PROTO names the folder of the .proto files when they are not in ../../../proto.

import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import google from "google-proto-files";

const PROTO = process.env.PROTO ?? fileURLToPath(new URL("../../../proto", import.meta.url));
const DEADLINE_MS = 10_000;
const TRIES = 5;
const PAUSE_MS = 500;
const MAY_BE_REPEATED = [grpc.status.UNAVAILABLE, grpc.status.ABORTED];

const files = loader.loadSync("oms/v1/order_service.proto", {
  includeDirs: [PROTO],
  keepCase: true,
  // Numbers of 64 bits do not fit into JavaScript's own.
  longs: String,
  enums: String,
});
const { oms } = grpc.loadPackageDefinition(files);
const status = google.loadSync(google.getProtoPath("rpc/status.proto"));
const kinds = google.loadSync(google.getProtoPath("rpc/error_details.proto"));

// The detail of this kind that an error carries, or undefined.
function detail(error, kind) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!bytes) return undefined;
  const { details } = status.lookupType("google.rpc.Status").decode(bytes);
  const found = details.find(({ type_url }) => type_url.endsWith(`/google.rpc.${kind}`));
  return found && kinds.lookupType(`google.rpc.${kind}`).decode(found.value);
}

// Calls until there is an answer; the key makes that safe.
async function call(client, method, request, key) {
  const metadata = new grpc.Metadata();
  metadata.set("idempotency-key", key);
  for (let attempt = 1; ; attempt += 1) {
    const deadline = Date.now() + DEADLINE_MS;
    try {
      return await new Promise((resolve, reject) => {
        client[method](request, metadata, { deadline }, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      });
    } catch (error) {
      if (!MAY_BE_REPEATED.includes(error.code) || attempt === TRIES) throw error;
      const delay = detail(error, "RetryInfo")?.retryDelay;
      await wait(delay ? Number(delay.seconds ?? 0) * 1e3 + (delay.nanos ?? 0) / 1e6 : PAUSE_MS);
    }
  }
}

// Every timeline entry up to the wanted status, each once, also when the stream breaks.
async function* watch(client, order_id, until) {
  for (let seen = 0, attempt = 1; ; attempt += 1) {
    const deadline = Date.now() + 30_000;
    const stream = client.WatchOrder({ order_id, after_version: seen }, { deadline });
    try {
      for await (const { order, timeline } of stream) {
        for (const entry of timeline) {
          [seen, attempt] = [entry.version, 1];
          yield entry;
        }
        if (order?.lifecycle_status === until) return;
      }
      return;
    } catch (error) {
      // So often in a row without anything new.
      if (!MAY_BE_REPEATED.includes(error.code) || attempt === TRIES) throw error;
      await wait(PAUSE_MS);
    } finally {
      stream.on("error", () => {});
      stream.cancel();
    }
  }
}

const address = process.argv[2] ?? "localhost:50051";
const client = new oms.v1.OrderService(address, grpc.credentials.createInsecure());
const price = { currency: "USD", amount_minor: "10000" };
const wish = {
  customer_id: "customer-123",
  currency: "USD",
  items: [{ sku: "SKU-001", qty: 2, price }],
};
const key = randomUUID();
const { order_id } = await call(client, "CreateOrder", wish, `create-${key}`);
const paid = await call(client, "PayOrder", { order_id }, `pay-${key}`);
console.log(`order ${order_id}: ${paid.status}`);
for await (const entry of watch(client, order_id, "ORDER_STATUS_CONFIRMED")) {
  const payload = entry.event_type === "OrderCreated" ? "" : ` ${entry.payload}`;
  console.log(`version ${entry.version}: ${entry.event_type}${payload}`);
}
try {
  await call(client, "PayOrder", { order_id }, `again-${key}`);
} catch (error) {
  const reason = detail(error, "ErrorInfo")?.reason ?? "without a reason";
  const told = `${grpc.status[error.code]}, ${reason}: ${error.details}`;
  console.log(`a second payment is refused: ${told}`);
}
client.close();
