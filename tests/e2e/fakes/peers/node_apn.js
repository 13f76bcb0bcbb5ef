// @parse/node-apn as a program: a line of JSON says what to send, a line says what it made of the answers.
"use strict";

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const task = JSON.parse(process.argv[2]);
const apn = require(task.module);

let provider = null;
let topic = "";

function renew(told) {
  if (provider) provider.shutdown();
  topic = told.topic;
  provider = new apn.Provider({
    address: "127.0.0.1",
    port: told.sandbox ? task.sandbox : task.production,
    ca: readFileSync(task.ca_file),
    token: { key: told.key, keyId: told.key_id, teamId: told.team_id },
    requestTimeout: 5000,
  });
  return [];
}

async function send({ tokens, at_once }) {
  if (at_once) return sendTogether(tokens);
  const words = [];
  for (const token of tokens) words.push(...(await sendTogether([token])));
  return words;
}

// Status, reason and timestamp of each, in the order of the tokens.
async function sendTogether(tokens) {
  const notification = new apn.Notification();
  notification.topic = topic;
  notification.pushType = "alert";
  notification.alert = "hello";
  const { sent, failed } = await provider.send(notification, tokens);
  const words = new Map(sent.map(({ device }) => [device, ["200", null, null]]));
  for (const { device, status, response, error } of failed) {
    const reason = (response && response.reason) || error.message;
    words.set(device, [status ? String(status) : null, reason, (response && response.timestamp) || null]);
  }
  return tokens.map((token) => words.get(token));
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const told = JSON.parse(line);
    console.log(JSON.stringify("key" in told ? renew(told) : await send(told)));
  }
  if (provider) provider.shutdown();
}

main();
