// Topics of an app, a user and a group, as an app uses them: made, subscribed to, sent to, listed.
"use strict";
const { Kii, KiiPushMessageBuilder, signUp, become, refusal, journey } = require("./app");
const { CLIENT_ID, CLIENT_SECRET, STAMP } = process.env;

const NAME = `news-${STAMP}`;

// How a topic begins; `keeper` is its handle with the right to make it and to send to it.
async function begin(subscriber, topic, keeper, message) {
  const subscription = subscriber.pushSubscription();
  const subscribed = async () => (await subscription.isSubscribed(topic))[2];
  const seen = { before: await topic.exists(), notThere: await refusal(subscription.isSubscribed(topic)) };
  await keeper.save();
  seen.after = await topic.exists();
  seen.madeTwice = await refusal(keeper.save());
  seen.subscribed = [await subscribed()];
  await subscription.subscribe(topic);
  seen.subscribedTwice = await refusal(subscription.subscribe(topic));
  seen.subscribed.push(await subscribed());
  await keeper.sendMessage(message);
  return seen;
}

// This journey's topic among those of an app, a user or a group.
const listed = async (of) =>
  (await of.listTopics())[0].map((topic) => topic.getName()).filter((one) => one === NAME);

journey(async () => {
  const admin = await Kii.authenticateAsAppAdmin(CLIENT_ID, CLIENT_SECRET);
  const bob = await signUp(`bob-${STAMP}`);
  const ann = await signUp(`ann-${STAMP}`);
  await ann.pushInstallation().installGcm(`topics-${STAMP}`, false);
  await ann.pushInstallation().installApns(`70${STAMP}`, true);
  const group = await Kii.groupWithNameAndMembers("Team", [bob]).save();

  const message = new KiiPushMessageBuilder({ n: 1, urgent: true })
    .gcmData({ only: "android" })
    .gcmCollapseKey("news")
    .gcmTimeToLive(600)
    .apnsAlert({ title: "News", body: "For all" })
    .apnsData({ only: "ios" })
    .apnsBadge(2)
    .apnsSound("ping.caf")
    .apnsCategory("NEWS")
    .apnsContentAvailable(1)
    .apnsMutableContent(1)
    .build();

  const app = { topic: Kii.topicWithName(NAME), keeper: admin.topicWithName(NAME) };
  const refusedInApp = await refusal(app.topic.save());
  const begun = [
    await begin(ann, app.topic, app.keeper, message),
    await begin(ann, ann.topicWithName(NAME), ann.topicWithName(NAME), message),
    await begin(ann, group.topicWithName(NAME), group.topicWithName(NAME), message),
  ];
  const sentToApp = await refusal(app.topic.sendMessage(message));
  const lists = [await listed(Kii), await listed(ann), await listed(group), await listed(admin)];

  become(bob);
  const stranger = {
    sent: await refusal(ann.topicWithName(NAME).sendMessage(message)),
    subscribed: await refusal(bob.pushSubscription().subscribe(ann.topicWithName(NAME))),
    deleted: await refusal(ann.topicWithName(NAME).deleteTopic()),
  };
  const member = { sent: await refusal(group.topicWithName(NAME).sendMessage(message)) };
  become(ann);

  return {
    userID: ann.getID(),
    senderID: bob.getID(),
    groupID: group.getID(),
    refusedInApp,
    begun,
    sentToApp,
    lists,
    stranger,
    member,
  };
});
