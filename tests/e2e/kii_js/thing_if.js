// thing-if in an app: with a user's token it installs the user's device, and uninstalls it. It sends no app
// key.
"use strict";
const { AppBuilder, APIAuthor } = require("thing-if");
const { signUp, KiiPushMessageBuilder, journey } = require("./app");
const { APP_ID, APP_KEY, SITE, STAMP } = process.env;

const refusal = (promise) =>
  promise.then(
    () => null,
    (error) => ({ status: error.status, code: error.body && error.body.errorCode }),
  );

journey(async () => {
  const user = await signUp(`thing-${STAMP}`);
  const app = AppBuilder.buildWithSite(APP_ID, APP_KEY, SITE.replace(/\/api$/, ""));
  const api = new APIAuthor(user.getAccessToken(), app);
  const kept = await api.installFCM(`thing:${STAMP}:kept`, true);
  const again = await api.installFCM(`thing:${STAMP}:kept`, true);
  const gone = await api.installFCM(`thing:${STAMP}:gone`, true);
  await api.uninstallPush(gone);

  const topic = await user.topicWithName("things").save();
  await user.pushSubscription().subscribe(topic);
  await topic.sendMessage(new KiiPushMessageBuilder({ hello: "device" }).build());
  return {
    same: kept === again,
    twice: await refusal(api.uninstallPush(gone)),
    stranger: await refusal(new APIAuthor("no-such-token", app).installFCM("x", true)),
    things: await refusal(api.getVendorThingID("th.0267251d9d60-1858-5e11-3dc3-00f3f0b5")),
  };
});
