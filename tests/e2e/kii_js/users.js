// A normal user's life: sign-up, the ways to log in, the profile, the password, the end.
"use strict";
const { KiiUser, KiiUserBuilder, PASSWORD, signUp, become, refusal, journey } = require("./app");
const { STAMP } = process.env;

const NAME = `ann-${STAMP}`;
const MAIL = `ann-${STAMP}@example.com`;
const PHONE = `+8190${BigInt(`0x${STAMP}`) % 100000000n}`;

function profile(user) {
  return {
    username: user.getUsername(),
    mail: user.getEmailAddress(),
    mailVerified: user.getEmailVerified(),
    phone: user.getPhoneNumber(),
    phoneVerified: user.getPhoneVerified(),
    displayName: user.getDisplayName(),
    country: user.getCountry(),
    locale: user.getLocale(),
    disabled: user.disabled(),
    pseudo: user.isPseudoUser(),
    score: user.get("score"),
    level: user.get("level"),
  };
}

journey(async () => {
  const builder = KiiUserBuilder.builderWithUsername(NAME, PASSWORD);
  builder.setEmailAddress(MAIL).setGlobalPhoneNumber(PHONE);
  const user = builder.build();
  user.setDisplayName("Ann");
  user.setCountry("JP");
  user.setLocale("ja");
  user.set("score", 3);
  await user.register();
  await user.refresh();
  const id = user.getID();
  const registered = profile(user);

  const twice = await refusal(signUp(NAME));
  const logins = [];
  for (const identifier of [NAME, MAIL, PHONE]) {
    logins.push((await KiiUser.authenticate(identifier, PASSWORD)).getID() === id);
  }
  const again = await KiiUser.authenticateWithToken(user.getAccessToken());
  logins.push(again.getID() === id);
  const wrongPassword = await refusal(KiiUser.authenticate(NAME, "wrong-1234"));
  const wrongToken = await refusal(KiiUser.authenticateWithToken("no-such-token"));

  become(user);
  user.setDisplayName("Anna");
  user.set("score", 4);
  await user.save();
  await user.update({ username: `anna-${STAMP}` }, null, { level: 7 }, ["score"]);
  await user.changeEmail(`anna-${STAMP}@example.com`);
  await user.changePhone(`${PHONE}9`);
  const changed = profile(await KiiUser.authenticateWithToken(user.getAccessToken()));

  const wrongOldPassword = await refusal(user.updatePassword("wrong-1234", "other-1234"));
  await user.updatePassword(PASSWORD, "other-1234");
  const formerPassword = await refusal(KiiUser.authenticate(`anna-${STAMP}`, PASSWORD));
  const newPassword = (await KiiUser.authenticate(`anna-${STAMP}`, "other-1234")).getID() === id;

  const bob = await signUp(`bob-${STAMP}`);
  const found = [
    await KiiUser.findUserByUsername(`anna-${STAMP}`),
    await KiiUser.findUserByEmail(`anna-${STAMP}@example.com`),
    await KiiUser.findUserByPhone(`${PHONE}9`),
  ];
  const notFound = await refusal(KiiUser.findUserByUsername(NAME));
  const othersDeletion = await refusal(KiiUser.userWithID(id).delete());

  become(user);
  await user.delete();
  const deleted = await refusal(KiiUser.authenticate(`anna-${STAMP}`, "other-1234"));
  const deletedToken = await refusal(KiiUser.authenticateWithToken(user.getAccessToken()));
  become(bob);
  return {
    id,
    registered,
    twice,
    logins,
    wrongPassword,
    wrongToken,
    changed,
    wrongOldPassword,
    formerPassword,
    newPassword,
    found: found.map((one) => ({ ...profile(one), itself: one.getID() === id })),
    notFound,
    othersDeletion,
    deleted,
    deletedToken,
    freeAgain: await refusal(signUp(`anna-${STAMP}`)),
  };
});
