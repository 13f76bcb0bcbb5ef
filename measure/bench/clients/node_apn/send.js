// @parse/node-apn: one provider, one notification, 1,000 device tokens a call. It hands out no apns-id: what it
// checks of an answer is its status.
"use strict";

const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const apn = require("@parse/node-apn");

const A_CALL = 1000;
const task = JSON.parse(process.argv[2]);
const provider = new apn.Provider({
  address: "127.0.0.1",
  port: task.port,
  ca: readFileSync(task.ca_file),
  token: { key: task.apns_key_file, keyId: task.key_id, teamId: task.team_id },
  requestTimeout: 30000,
});

function notification() {
  const made = new apn.Notification();
  made.topic = task.topic;
  made.pushType = "alert";
  made.priority = 10;
  made.expiry = 0;
  made.collapseId = "9c1d0b7e5f3a4c28";
  made.rawPayload = task.document;
  return made;
}

async function send(tokens) {
  for (let first = 0; first < tokens.length; first += A_CALL) {
    const call = tokens.slice(first, first + A_CALL);
    const { sent, failed } = await provider.send(notification(), call);
    if (failed.length || sent.length !== call.length) {
      throw new Error(`${failed.length} failed, the first: ${JSON.stringify(failed[0])}`);
    }
  }
}

const token = (number) => createHash("sha256").update(String(number)).digest("hex");

async function main() {
  await send([token(0)]);
  const tokens = Array.from({ length: task.requests }, (_, number) => token(number + 1));
  const began = process.hrtime.bigint();
  const before = process.cpuUsage();
  await send(tokens);
  const used = process.cpuUsage(before);
  const wall_s = Number(process.hrtime.bigint() - began) / 1e9;
  console.log(JSON.stringify({ sent: task.requests + 1, cpu_s: (used.user + used.system) / 1e6, wall_s }));
  provider.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
