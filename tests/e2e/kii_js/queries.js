// Queries of a bucket: every clause that is not geographic, order, pages and counts.
"use strict";
const { KiiClause, KiiGeoPoint, KiiQuery, signUp, refusal, journey } = require("./app");
const { STAMP } = process.env;

const DOGS = [
  { name: "Aiko", age: 1, weight: 3.5, tame: true },
  { name: "Akira", age: 3, weight: 20, tame: false },
  { name: "Beni", age: 5, weight: 8.25, tame: true, owner: "Ann" },
  { name: "Chibi", age: 7, weight: 8.25, tame: true, owner: "Bob" },
  { name: "Daigo", age: 9, weight: 31, tame: false, owner: "Ann" },
];

const CLAUSES = {
  all: null,
  equals: KiiClause.equals("age", 3),
  equalsBoolean: KiiClause.equals("tame", false),
  notEquals: KiiClause.notEquals("owner", "Ann"),
  greaterThan: KiiClause.greaterThan("age", 5),
  greaterThanOrEqual: KiiClause.greaterThanOrEqual("age", 5),
  lessThan: KiiClause.lessThan("weight", 8.25),
  lessThanOrEqual: KiiClause.lessThanOrEqual("weight", 8.25),
  within: KiiClause.and(KiiClause.greaterThan("age", 1), KiiClause.lessThan("age", 7)),
  strings: KiiClause.greaterThanOrEqual("name", "Chibi"),
  in: KiiClause.inClause("name", ["Beni", "Daigo", "Nobody"]),
  startsWith: KiiClause.startsWith("name", "A"),
  hasString: KiiClause.hasField("owner", "STRING"),
  hasInteger: KiiClause.hasField("age", "INTEGER"),
  hasDecimal: KiiClause.hasField("weight", "DECIMAL"),
  hasBoolean: KiiClause.hasField("tame", "BOOLEAN"),
  hasOther: KiiClause.hasField("owner", "INTEGER"),
  not: KiiClause.not(KiiClause.startsWith("name", "A")),
  and: KiiClause.and(KiiClause.equals("owner", "Ann"), KiiClause.equals("tame", true)),
  or: KiiClause.or(KiiClause.equals("owner", "Bob"), KiiClause.lessThan("age", 2)),
  nested: KiiClause.and(
    KiiClause.not(KiiClause.equals("tame", false)),
    KiiClause.or(KiiClause.equals("owner", "Ann"), KiiClause.startsWith("name", "Ch")),
  ),
  single: KiiClause.and(KiiClause.equals("age", 9)),
};

function byName(clause) {
  const query = KiiQuery.queryWithClause(clause);
  query.sortByAsc("name");
  return query;
}

const names = (objects) => objects.map((object) => object.get("name"));

async function everyPage(bucket, query) {
  const pages = [];
  while (query) {
    const [, objects, next] = await bucket.executeQuery(query);
    pages.push(names(objects));
    query = next;
  }
  return pages;
}

journey(async () => {
  const ann = await signUp(`ann-${STAMP}`);
  const bucket = ann.bucketWithName("dogs");
  for (const dog of DOGS) {
    const object = bucket.createObject();
    Object.entries(dog).forEach(([key, value]) => object.set(key, value));
    await object.save();
  }

  const found = {};
  const counted = {};
  for (const [what, clause] of Object.entries(CLAUSES)) {
    found[what] = names((await bucket.executeQuery(byName(clause)))[1]);
    counted[what] = (await bucket.countWithQuery(KiiQuery.queryWithClause(clause)))[2];
  }
  const order = KiiQuery.queryWithClause();
  order.sortByDesc("age");
  order.setLimit(2);
  const pages = await everyPage(bucket, order);
  const unordered = KiiQuery.queryWithClause(KiiClause.greaterThan("age", 1));
  unordered.setLimit(3);
  const unorderedPages = await everyPage(bucket, unordered);
  const whole = (await bucket.executeQuery(null))[1];
  const point = KiiGeoPoint.geoPoint(35.7, 139.7);
  return {
    found,
    counted,
    pages,
    unordered: { pages: unorderedPages.map((page) => page.length), names: unorderedPages.flat().sort() },
    whole: whole.length,
    count: (await bucket.count())[2],
    complete: whole.every((one) => one.getCreated() && one.getModified() && one.getUUID()),
    geographic: await refusal(bucket.executeQuery(byName(KiiClause.geoDistance("at", point, 100, "far")))),
  };
});
