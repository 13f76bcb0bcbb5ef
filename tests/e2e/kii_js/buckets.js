// Buckets of an app, a user and a group: subscribed to before they are there, filled, counted, dropped.
"use strict";
const { Kii, signUp, become, refusal, journey } = require("./app");
const { STAMP } = process.env;

const NAME = `board-${STAMP}`;

journey(async () => {
  const bob = await signUp(`bob-${STAMP}`);
  const ann = await signUp(`ann-${STAMP}`);
  await ann.pushInstallation().installGcm(`buckets-${STAMP}`, false);
  await ann.pushInstallation().installApns(`b0${STAMP}`, false);
  const group = await Kii.groupWithNameAndMembers("Team", [bob]).save();
  const subscription = ann.pushSubscription();
  const objects = [];
  const lives = [];
  for (const scope of [Kii, ann, group]) {
    const bucket = scope.bucketWithName(NAME);
    const subscribed = async () => (await subscription.isSubscribed(bucket))[2];
    const seen = { subscribed: [await subscribed()], emptyBefore: (await bucket.count())[2] };
    await subscription.subscribe(bucket);
    seen.subscribedTwice = await refusal(subscription.subscribe(bucket));
    seen.subscribed.push(await subscribed());
    const object = bucket.createObject();
    object.set("text", "a note");
    await object.save();
    objects.push(object.getUUID());
    seen.count = (await bucket.count())[2];
    lives.push(seen);

    const left = scope.bucketWithName(`${NAME}-left`);
    await subscription.subscribe(left);
    await subscription.unsubscribe(left);
    seen.left = !(await subscription.isSubscribed(left))[2];
    seen.leftTwice = await refusal(subscription.unsubscribe(left));
    await left.createObject().save();
  }

  become(bob);
  const stranger = {
    queried: await refusal(ann.bucketWithName(NAME).executeQuery(null)),
    created: await refusal(ann.bucketWithName(NAME).createObject().save()),
    subscribed: await refusal(bob.pushSubscription().subscribe(ann.bucketWithName(NAME))),
    dropped: await refusal(ann.bucketWithName(NAME).delete()),
  };
  const byMember = await group.bucketWithName(NAME).createObject().save();
  objects.push(byMember.getUUID());
  const member = {
    count: (await group.bucketWithName(NAME).count())[2],
    dropped: await refusal(group.bucketWithName(NAME).delete()),
  };

  become(ann);
  const own = ann.bucketWithName(`own-${STAMP}`);
  await own.createObjectWithID("kept").saveAllFields();
  await own.delete();
  const dropped = [(await own.count())[2], await refusal(own.createObjectWithID("kept").refresh())];
  await own.createObjectWithID("other").saveAllFields();
  return {
    userID: ann.getID(),
    memberID: bob.getID(),
    groupID: group.getID(),
    objects,
    lives,
    stranger,
    member,
    dropped,
    anew: (await own.count())[2],
    encrypted: await refusal(ann.encryptedBucketWithName("secret").createObject().save()),
  };
});
