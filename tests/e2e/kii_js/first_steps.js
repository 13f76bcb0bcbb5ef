// What the quick start of every Kii app does, short enough for every version of the SDK.
"use strict";
const { KiiPushMessageBuilder, signUp, journey } = require("./app");
const { STAMP } = process.env;

journey(async () => {
  const user = await signUp(`kii-js-${STAMP}`);
  const installation = await user.pushInstallation().installGcm(`kii-js-${STAMP}`, false);
  const subscription = user.pushSubscription();

  const topic = user.topicWithName("news");
  const exists = [await topic.exists()];
  await topic.save();
  exists.push(await topic.exists());
  const subscribed = [(await subscription.isSubscribed(topic))[2]];
  await subscription.subscribe(topic);
  subscribed.push((await subscription.isSubscribed(topic))[2]);
  await topic.sendMessage(new KiiPushMessageBuilder({ hello: "world" }).build());

  const bucket = user.bucketWithName("notes");
  await subscription.subscribe(bucket);
  const object = bucket.createObject();
  object.set("text", "a note");
  await object.save();
  object.set("text", "another");
  await object.save(null, false);
  const found = (await bucket.executeQuery(null))[1].map((one) => one.get("text"));
  return {
    installed: Boolean(installation.installationID),
    objectID: object.getUUID(),
    exists,
    subscribed,
    found,
  };
});
