// The administrator: sends to everybody's topic, and does for users and groups what they may not do
// themselves.
"use strict";
const kii = require("./app");
const { Kii, KiiACLAction, KiiACLEntry, KiiPushMessageBuilder, signUp, become, refusal, journey } = kii;
const { CLIENT_ID, CLIENT_SECRET, STAMP } = process.env;

const TOPIC = `all-${STAMP}`;
const NAME = `ann-${STAMP}`;

journey(async () => {
  const wrongSecret = await refusal(Kii.authenticateAsAppAdmin(CLIENT_ID, "wrong"));
  const admin = await Kii.authenticateAsAppAdmin(CLIENT_ID, CLIENT_SECRET);
  const ann = await signUp(NAME);
  await ann.pushInstallation().installGcm(`admin-${STAMP}`, false);
  await ann.pushInstallation().installApns(`ad${STAMP}`, false);

  const topic = await admin.topicWithName(TOPIC).save();
  const listed = (await admin.listTopics())[0].some((one) => one.getName() === TOPIC);
  await ann.pushSubscription().subscribe(Kii.topicWithName(TOPIC));
  await topic.sendMessage(new KiiPushMessageBuilder({ hello: "everybody" }).apnsAlert("Hello").build());
  const grant = KiiACLEntry.entryWithSubject(ann, KiiACLAction.KiiACLSendMessageToTopic);
  const acl = topic.acl();
  acl.putACLEntry(grant);
  await acl.save();
  await Kii.topicWithName(TOPIC).sendMessage(new KiiPushMessageBuilder({ hello: "from Ann" }).build());

  const found = (await admin.findUserByUsername(NAME))[1];
  const notFound = await refusal(admin.findUserByUsername("nobody-at-all"));
  const user = admin.userWithID(ann.getID());
  const inbox = user.bucketWithName("inbox");
  await user.pushSubscription().subscribe(inbox);
  const letter = inbox.createObject();
  letter.set("text", "welcome");
  await letter.save();
  const subscribed = (await ann.pushSubscription().isSubscribed(ann.bucketWithName("inbox")))[2];

  const bob = await signUp(`bob-${STAMP}`);
  become(ann);
  const group = admin.groupWithName("Editors");
  await group.saveWithOwner(ann.getID());
  const chosen = await admin.registerGroupWithOwnerAndID(`ed.${STAMP}`, "Editors 2", ann.getID(), [bob]);
  group.addUser(bob);
  await group.save();
  const members = (await group.getMemberList())[1].length;
  const withoutOwner = await refusal(admin.groupWithName("Nobody's").save());
  await group.delete();

  await user.refresh();
  user.set("banned", false);
  await user.save();
  await ann.refresh();
  const changed = ann.get("banned");
  await admin.userWithID(bob.getID()).delete();
  const deleted = await refusal(admin.findUserByUsername(`bob-${STAMP}`));
  return {
    adminID: admin._getId(),
    userID: ann.getID(),
    letterID: letter.getUUID(),
    wrongSecret,
    listed,
    found: found.getID() === ann.getID(),
    notFound,
    subscribed,
    groupID: chosen.getID(),
    members,
    withoutOwner,
    changed,
    deleted,
  };
});
