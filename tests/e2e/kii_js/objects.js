// Objects: created, overwritten, changed in part, only when nobody else has changed them, deleted; and each
// change is a push to who has subscribed to the bucket.
"use strict";
const { KiiObject, signUp, refusal, journey } = require("./app");
const { STAMP } = process.env;

function fields(object) {
  return Object.fromEntries(object.getKeys().map((key) => [key, object.get(key)]));
}

journey(async () => {
  const ann = await signUp(`ann-${STAMP}`);
  await ann.pushInstallation().installGcm(`objects-${STAMP}`, false);
  await ann.pushInstallation().installApns(`0b${STAMP}`, false);
  const bucket = ann.bucketWithName("notes");
  await ann.pushSubscription().subscribe(bucket);

  const note = bucket.createObjectWithType("note");
  note.set("text", "first");
  note.set("tags", ["a", "b"]);
  note.set("place", { city: "東京", floor: 3 });
  await note.save();
  const other = bucket.createObjectWithID(note.getUUID());
  const unknownVersion = await refusal(other.save(null, false));
  await other.refresh();
  const created = {
    fields: fields(other),
    type: other.getObjectType(),
    uri: other.objectURI() === `kiicloud://users/${ann.getID()}/buckets/notes/objects/${note.getUUID()}`,
    times: other.getCreated() === other.getModified() && other.getCreated() === note.getCreated(),
  };

  note.set("text", "second");
  await note.save(null, false);
  note.set("more", true);
  await note.save(null, false);
  const stale = [];
  other.set("text", "from an old copy");
  stale.push(await refusal(other.save(null, false)));
  stale.push(await refusal(other.saveAllFields(null, false)));
  await other.refresh();
  const patched = fields(other);
  other.remove("tags");
  await other.saveAllFields(null, false);
  stale.push(await refusal(note.saveAllFields(null, false)));
  await note.refresh();
  const replaced = fields(note);
  note.set("text", "overwritten");
  await note.saveAllFields();
  const overwritten = KiiObject.objectWithURI(note.objectURI());
  await overwritten.refresh();

  const named = bucket.createObjectWithID("chosen.id_1-a");
  named.set("n", 1);
  await named.saveAllFields(null, false);
  const taken = await refusal(bucket.createObjectWithID("chosen.id_1-a").saveAllFields(null, false));
  await named.delete();
  const deleted = [await refusal(named.refresh()), await refusal(named.delete())];
  return {
    noteID: note.getUUID(),
    unknownVersion,
    created,
    stale,
    patched,
    replaced,
    overwritten: fields(overwritten),
    modifiedLater: overwritten.getModified() > overwritten.getCreated(),
    taken,
    deleted,
  };
});
