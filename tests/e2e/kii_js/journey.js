// A journey of an app that was written for Kii: the unmodified SDK against whatever SITE names.
// The last line is one JSON object with what the app saw; an error ends it with status 1.
"use strict";
const kii = require("kii-cloud-sdk").create();
const { SITE, APP_ID, APP_KEY, STAMP } = process.env;
const { Kii, KiiUser, KiiPushMessageBuilder } = kii;

async function main() {
  Kii.initializeWithSite(APP_ID, APP_KEY, SITE);
  const user = await KiiUser.userWithUsername(`kii-js-${STAMP}`, "secret-1234").register();
  const installed = await user.pushInstallation().installGcm(`kii-js-${STAMP}`, false);
  await user.pushInstallation().installApns(`AB${STAMP}`, true);

  const topic = user.topicWithName("news");
  const existedBefore = await topic.exists();
  await topic.save();
  const existsAfter = await topic.exists();
  const subscription = user.pushSubscription();
  const subscribedBefore = await subscription.isSubscribed(topic);
  await subscription.subscribe(topic);
  const subscribedAfter = await subscription.isSubscribed(topic);
  await subscription.unsubscribe(topic);
  const unsubscribed = await subscription.isSubscribed(topic);
  await subscription.subscribe(topic);

  const message = new KiiPushMessageBuilder({ hello: "world" })
    .apnsAlert({ body: "Hello" })
    .apnsContentAvailable(true)
    .enableGcm(true)
    .enableApns(true)
    .build();
  await topic.sendMessage(message);

  const bucket = user.bucketWithName("notes");
  await subscription.subscribe(bucket);
  const bucketSubscribed = await subscription.isSubscribed(bucket);
  const object = bucket.createObject();
  object.set("text", "a note");
  await object.save();

  console.log(
    JSON.stringify({
      userID: user.getID(),
      installationID: installed.installationID,
      objectID: object.getUUID(),
      existedBefore: existedBefore,
      existsAfter: existsAfter,
      subscribedBefore: subscribedBefore[2],
      subscribedAfter: subscribedAfter[2],
      bucketSubscribed: bucketSubscribed[2],
      stillSubscribed: unsubscribed[2],
    })
  );
}

process.on("unhandledRejection", (error) => {
  console.error("unhandled:", error);
  process.exit(1);
});
main().catch((error) => {
  console.error(error && error.message ? error.message : error);
  process.exit(1);
});
