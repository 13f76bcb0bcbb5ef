// Access lists of a topic, a bucket and an object: what stands in them, and what granting and revoking
// changes.
"use strict";
const kii = require("./app");
const {
  Kii,
  KiiACLAction,
  KiiACLEntry,
  KiiPushMessageBuilder,
  KiiQuery,
  KiiUser,
  signUp,
  become,
  refusal,
  journey,
} = kii;
const { STAMP } = process.env;

let names = {};

async function entries(acl) {
  const list = (await acl.listACLEntries())[1];
  return list
    .map((one) => `${one.getActionString()} ${names[one.getSubject().getID()] || one.getEntityString()}`)
    .sort();
}

// One entry, granted or revoked.
function change(acl, subject, action, grant) {
  const entry = KiiACLEntry.entryWithSubject(subject, action);
  entry.setGrant(grant);
  acl.putACLEntry(entry);
  return acl.save();
}

// What the list says and what Bob can do: before, with the right, and without it again.
async function turns(ann, bob, acl, action, attempt) {
  const tried = async () => {
    become(bob);
    const refused = await refusal(attempt());
    become(ann);
    return refused;
  };
  const seen = { before: await entries(acl()), tried: [await tried()] };
  await change(acl(), bob, action, true);
  seen.granted = (await entries(acl())).filter((one) => !seen.before.includes(one));
  seen.grantedTwice = await refusal(change(acl(), bob, action, true));
  seen.tried.push(await tried());
  await change(acl(), bob, action, false);
  seen.revokedTwice = await refusal(change(acl(), bob, action, false));
  seen.tried.push(await tried());
  seen.asBefore = JSON.stringify(await entries(acl())) === JSON.stringify(seen.before);
  return seen;
}

journey(async () => {
  const bob = await signUp(`bob-${STAMP}`);
  const ann = await signUp(`ann-${STAMP}`);
  names = { [ann.getID()]: "ann", [bob.getID()]: "bob" };
  const topic = await ann.topicWithName("shared").save();
  const bucket = ann.bucketWithName("shared");
  const note = bucket.createObject();
  note.set("text", "a note");
  await note.save();

  const message = new KiiPushMessageBuilder({ hello: "Ann" }).build();
  const of = (action) => KiiACLAction[action];
  const seen = {
    send: await turns(
      ann,
      bob,
      () => topic.acl(),
      of("KiiACLSendMessageToTopic"),
      () => topic.sendMessage(message),
    ),
    query: await turns(
      ann,
      bob,
      () => bucket.acl(),
      of("KiiACLBucketActionQueryObjects"),
      () => bucket.executeQuery(KiiQuery.queryWithClause()),
    ),
    create: await turns(
      ann,
      bob,
      () => bucket.acl(),
      of("KiiACLBucketActionCreateObjects"),
      () => bucket.createObject().save(),
    ),
    read: await turns(
      ann,
      bob,
      () => note.objectACL(),
      of("KiiACLObjectActionRead"),
      () => note.refresh(),
    ),
    write: await turns(
      ann,
      bob,
      () => note.objectACL(),
      of("KiiACLObjectActionWrite"),
      () => note.save(),
    ),
  };

  const everybody = new kii.KiiAnyAuthenticatedUser();
  await change(topic.acl(), everybody, of("KiiACLSubscribeToTopic"), true);
  const group = await Kii.groupWithNameAndMembers("Team", [bob]).save();
  names[group.getID()] = "team";
  await change(bucket.acl(), group, of("KiiACLBucketActionQueryObjects"), true);
  seen.public = await entries(topic.acl());
  seen.team = await entries(bucket.acl());
  become(bob);
  seen.publicSubscribed = await refusal(bob.pushSubscription().subscribe(topic));
  seen.teamQueried = await refusal(bucket.executeQuery(KiiQuery.queryWithClause()));
  seen.changedByBob = await refusal(change(topic.acl(), bob, of("KiiACLSendMessageToTopic"), true));
  return seen;
});
