// Devices: installed, installed again, taken over by the next user, uninstalled both ways.
"use strict";
const { KiiPushMessageBuilder, signUp, become, refusal, journey } = require("./app");
const { STAMP } = process.env;

const FCM = `fcm:${STAMP}:kept`; // tokens of FCM hold colons
const LOST = `fcm:${STAMP}:lost`;
const TAKEN = `fcm:${STAMP}:taken`;
const APNS = `AB${STAMP}0C`;

journey(async () => {
  const ann = await signUp(`ann-${STAMP}`);
  const devices = ann.pushInstallation();
  const first = await devices.installGcm(FCM, false);
  const second = await devices.installGcm(FCM, false);
  const iphone = await devices.installApns(APNS, true);
  await devices.installGcm(LOST, false);
  const taken = await devices.installGcm(TAKEN, false);

  const bob = await signUp(`bob-${STAMP}`);
  const others = await refusal(bob.pushInstallation().uninstallByInstallationID(first.installationID));
  const moved = await bob.pushInstallation().installGcm(TAKEN, false);

  become(ann);
  await devices.uninstall(LOST, "ANDROID");
  const twice = await refusal(devices.uninstall(LOST, "ANDROID"));
  const noMqtt = await refusal(devices.installMqtt(false));
  const noEndpoint = await refusal(devices.getMqttEndpoint(first.installationID));

  const topic = ann.topicWithName("devices");
  await topic.save();
  await ann.pushSubscription().subscribe(topic);
  const everywhere = new KiiPushMessageBuilder({ reaches: "all" }).build();
  await topic.sendMessage(everywhere);
  const development = new KiiPushMessageBuilder({ reaches: "development" })
    .setSendToProduction(false)
    .build();
  await topic.sendMessage(development);
  return {
    tokens: { FCM, LOST, TAKEN, APNS },
    sameInstallation: first.installationID === second.installationID,
    moved: taken.installationID === moved.installationID,
    iphone: iphone.installationRegistrationID,
    others,
    twice,
    noMqtt,
    noEndpoint,
  };
});
