// More topics than one page holds: the app goes on with the key that it was given.
"use strict";
const { signUp, journey } = require("./app");
const { STAMP } = process.env;

journey(async () => {
  const ann = await signUp(`list-${STAMP}`);
  const none = (await ann.listTopics())[0].length;
  const names = Array.from({ length: 51 }, (_, n) => `topic-${n}`);
  await Promise.all(names.map((name) => ann.topicWithName(name).save()));

  const pages = [];
  let key = null;
  do {
    const [topics, next] = await ann.listTopics(null, key);
    pages.push(topics.map((topic) => topic.getName()));
    key = next;
  } while (key);
  const listed = pages.flat();
  return { none, pages: pages.map((page) => page.length), all: names.every((name) => listed.includes(name)) };
});
