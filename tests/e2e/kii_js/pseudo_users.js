// A user without a name: made by one call, kept by the token alone, until an identity is put on.
"use strict";
const { KiiUser, PASSWORD, signUp, become, refusal, journey } = require("./app");
const { STAMP } = process.env;

journey(async () => {
  const user = await KiiUser.registerAsPseudoUser(null, { displayName: "Somebody", age: 30 });
  const id = user.getID();
  const token = user.getAccessToken();
  const registered = {
    pseudo: user.isPseudoUser(),
    displayName: user.getDisplayName(),
    age: user.get("age"),
  };

  const back = await KiiUser.authenticateWithToken(token);
  const returned = { itself: back.getID() === id, pseudo: back.isPseudoUser(), age: back.get("age") };
  await back.update(null, null, { age: 31 });
  const identityByUpdate = await refusal(back.update({ username: `late-${STAMP}` }));

  const other = await signUp(`taken-${STAMP}`);
  become(back);
  const takenName = await refusal(back.putIdentity({ username: other.getUsername() }, PASSWORD));
  await back.putIdentity({ username: `late-${STAMP}` }, PASSWORD, null, { town: "Kyoto" }, ["age"]);
  await back.refresh();
  const upgraded = {
    pseudo: back.isPseudoUser(),
    username: back.getUsername(),
    town: back.get("town"),
    age: back.get("age"),
  };
  const putTwice = await refusal(back.putIdentity({ username: `later-${STAMP}` }, PASSWORD));

  const loggedIn = await KiiUser.authenticate(`late-${STAMP}`, PASSWORD);
  const formerToken = await KiiUser.authenticateWithToken(token);
  return {
    registered,
    returned,
    identityByUpdate,
    takenName,
    upgraded,
    putTwice,
    sameUser: loggedIn.getID() === id && formerToken.getID() === id,
  };
});
