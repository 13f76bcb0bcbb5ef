// Groups: made with members, renamed, joined, left, deleted; by the owner, and not by others.
"use strict";
const { Kii, KiiGroup, KiiUser, signUp, become, refusal, journey } = require("./app");
const { STAMP } = process.env;

journey(async () => {
  const [ann, bob, eve] = [
    await signUp(`ann-${STAMP}`),
    await signUp(`bob-${STAMP}`),
    await signUp(`eve-${STAMP}`),
  ];
  const names = { [ann.getID()]: "ann", [bob.getID()]: "bob", [eve.getID()]: "eve" };
  const members = async (group) => (await group.getMemberList())[1].map((one) => names[one.getID()]).sort();
  const named = (groups) =>
    groups[1].map((one) => `${one.getName()} of ${names[one.getCachedOwner().getID()]}`);

  become(ann);
  const group = Kii.groupWithNameAndMembers("Chess", [bob]);
  await group.save();
  const made = { members: await members(group), owned: named(await ann.ownerOfGroups()) };

  await group.changeGroupName("Chess & Go, 囲碁");
  group.addUser(eve);
  group.removeUser(bob);
  await group.save();
  const seen = KiiGroup.groupWithID(group.getID());
  await seen.refresh();
  const changed = {
    name: seen.getName(),
    owner: names[(await seen.getOwner())[1].getID()],
    members: await members(seen),
  };

  become(eve);
  const memberView = named(await eve.memberOfGroups());
  const renamedByMember = await refusal(group.changeGroupName("Mine"));
  const deletedByMember = await refusal(KiiGroup.groupWithID(group.getID()).delete());
  become(bob);
  const readByStranger = await refusal(members(group));
  const formerMemberView = named(await bob.memberOfGroups());

  become(ann);
  const chosen = await KiiGroup.registerGroupWithID(`go.${STAMP}`, "Go", [bob]);
  const sameID = await refusal(KiiGroup.registerGroupWithID(`go.${STAMP}`, "Go"));
  const owned = named(await ann.memberOfGroups()).sort();
  await group.delete();
  const deleted = await refusal(KiiGroup.groupWithID(group.getID()).refresh());
  return {
    made,
    changed,
    memberView,
    renamedByMember,
    deletedByMember,
    readByStranger,
    formerMemberView,
    chosen: [chosen.getID(), await members(chosen)],
    sameID,
    owned,
    deleted,
  };
});
