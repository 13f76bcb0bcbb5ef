// The SDK in a page of another origin: the browser asks before a request (CORS), and the SDK uploads and
// downloads bodies, which it does in browsers only. The browser is jsdom.
"use strict";
const { readFileSync } = require("fs");
const { JSDOM } = require("jsdom");
const { PASSWORD, refusal, journey } = require("./app");
const { SITE, APP_ID, APP_KEY, STAMP } = process.env;

const { window } = new JSDOM("", { url: "http://app.example/", runScripts: "outside-only" });
window.eval(readFileSync(require.resolve("kii-cloud-sdk"), "utf8"));
const { Kii, KiiUser, Blob, FileReader } = window;

function bytes(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(Buffer.from(reader.result).toString("hex"));
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}

journey(async () => {
  Kii.initializeWithSite(APP_ID, APP_KEY, SITE);
  const ann = await KiiUser.userWithUsername(`page-${STAMP}`, PASSWORD).register();
  await ann.pushInstallation().installGcm(`browser-${STAMP}`, false);
  const bucket = ann.bucketWithName("pictures");
  await ann.pushSubscription().subscribe(bucket);
  const topic = ann.topicWithName("pages");
  const exists = [await topic.exists()];
  await topic.save();
  exists.push(await topic.exists());

  const picture = bucket.createObject();
  picture.set("title", "red");
  await picture.save();
  const none = await refusal(picture.downloadBody());
  const noneToDelete = await refusal(picture.deleteBody());
  const steps = [];
  const progress = (event) => steps.push(event.loaded);
  await picture.uploadBody(new Blob([new window.Uint8Array([0, 255, 128, 10])], { type: "image/x-red" }), {
    progress,
  });
  picture.set("title", "blue");
  await picture.save(null, false);
  const [, body] = await picture.downloadBody();
  const uploaded = { bytes: await bytes(body), type: body.type, kept: picture.getBodyContentType() };
  await picture.uploadBody(new Blob(["plain words, ä"], { type: "text/plain" }));
  const text = Buffer.from(await bytes((await picture.downloadBody())[1]), "hex").toString();
  const unpublished = await refusal(picture.publishBody());
  await picture.deleteBody();
  const deleted = await refusal(picture.downloadBody());
  const seen = {
    objectID: picture.getUUID(),
    exists,
    none,
    noneToDelete,
    progress: steps.length > 0,
    uploaded,
    text,
    unpublished,
    deleted,
  };
  window.close();
  return seen;
});
