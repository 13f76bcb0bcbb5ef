// What every journey stands on: the unmodified SDK, pointed at SITE, and how a journey ends. Its last line
// is one JSON object with what the app saw; whatever the app did not expect ends it with status 1.
"use strict";
const { SITE, APP_ID, APP_KEY, SDK } = process.env;
const kii = require(SDK || "kii-cloud-sdk").create();
kii.Kii.initializeWithSite(APP_ID, APP_KEY, SITE);

const PASSWORD = "secret-1234";
let arrived = false;

// A normal user with a login name, signed in as the SDK does it.
function signUp(name) {
  return kii.KiiUser.userWithUsername(name, PASSWORD).register();
}

// From here on the SDK speaks for this user.
function become(user) {
  kii.Kii.setCurrentUser(user);
  return user;
}

// Status and code of a refusal, as the SDK's own parser of errors finds them in its message; null if there was
// none. A message that is not from the server stays as it is.
function refusal(promise) {
  return promise.then(
    () => null,
    (error) => {
      const { status, code } = kii.KiiErrorParser.parse(error);
      return code ? `${status} ${code}` : error.message;
    },
  );
}

function journey(walk) {
  walk()
    .then((seen) => {
      arrived = true;
      console.log(JSON.stringify(seen));
    })
    .catch((error) => {
      console.error((error && (error.stack || error.message)) || error);
      process.exit(1);
    });
}

process.on("unhandledRejection", (error) => {
  console.error("unhandled:", error);
  process.exit(1);
});
process.on("exit", () => {
  if (!arrived) {
    console.error("the journey ended on the way: the SDK called nobody back");
    process.exitCode = 1;
  }
});

module.exports = { ...kii, PASSWORD, signUp, become, refusal, journey };
