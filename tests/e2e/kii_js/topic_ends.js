// How a subscription and a topic end: who has unsubscribed gets nothing, and who comes back gets the next
// push.
"use strict";
const { Kii, KiiPushMessageBuilder, signUp, refusal, journey } = require("./app");
const { STAMP } = process.env;

journey(async () => {
  const ann = await signUp(`end-${STAMP}`);
  await ann.pushInstallation().installGcm(`ends-${STAMP}`, false);
  const group = await Kii.groupWithName("Team").save();
  const subscription = ann.pushSubscription();
  const message = (sent) => new KiiPushMessageBuilder({ sent }).build();
  const ends = [];
  for (const scope of [ann, group]) {
    const topic = await scope.topicWithName("news").save();
    await subscription.subscribe(topic);
    await subscription.unsubscribe(topic);
    const unsubscribed = (await subscription.isSubscribed(topic))[2];
    const unsubscribedTwice = await refusal(subscription.unsubscribe(topic));
    await topic.sendMessage(message("without her"));

    await topic.deleteTopic();
    const deleted = !(await topic.exists());
    const deletedTwice = await refusal(topic.deleteTopic());
    const sentToNothing = await refusal(topic.sendMessage(message("never")));

    await topic.save();
    const madeAnew = (await subscription.isSubscribed(topic))[2];
    await subscription.subscribe(topic);
    await topic.sendMessage(message("made anew"));
    ends.push({ unsubscribed, unsubscribedTwice, deleted, deletedTwice, sentToNothing, madeAnew });
  }
  return ends;
});
