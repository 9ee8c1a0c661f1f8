// How semver-ranges.json was made: npm install semver@7 && node semver-ranges.js > semver-ranges.json
const semver = require("semver");
const versions = [];
for (const major of [0, 1, 2, 3, 10]) for (const minor of [0, 1, 2, 3, 10]) for (const patch of [0, 1, 2, 3, 10]) versions.push(`${major}.${minor}.${patch}`);
const operands = ["*", "x", "X", "0", "1", "2", "1.x", "1.*", "0.0", "0.1", "0.x", "1.0", "1.2", "2.10", "1.2.x", "1.2.*", "0.0.0", "0.0.1", "0.0.3", "0.1.0", "0.2.3", "0.0.x", "1.0.0", "1.2.3", "2.3.10", "v1.2", "v1.2.3"];
const operators = ["", "=", ">", ">=", "<", "<=", "^", "~", "~>"];
const ranges = new Set(["", "||", " ", "1 || ", "|| 2"]);
for (const operand of operands) for (const operator of operators) ranges.add(operator + operand);
for (const operator of [">", ">=", "<", "<=", "^", "~", "="]) ranges.add(`${operator} 1.2`), ranges.add(`${operator}  v1.2.3`);
const ends = ["*", "0", "1", "1.2", "1.2.3", "2", "2.x", "2.3.1", "10.0"];
for (const low of ends) for (const high of ends) ranges.add(`${low} - ${high}`);
for (const range of [
  ">=1 <2", ">=1.2 <2.3", ">1.2.3 <2", ">= 1 < 2", ">=1.2.3 <=2.3.1", ">2 <1", "^1.2 <1.3.2", "~1.2 >1.2.1", ">=1 <10 >1.1", "1.x >1.1.1",
  "1 || 2", "1||2", "^1.2 || ^2.3", ">=1.2 <1.3 || >=2.2 <2.3", "1.2.3 || 2 - 3", "1.2 - 1.3 || >10.2", "<1 || >=10", "0.x || ^10.1.2", "~0.1 || ~>2.10", "* || 1", "  1.2  ", "1  -  2", "=1.2.3 || =2.3.10",
]) ranges.add(range);
const none = ["a", "latest", ">", "^", "1.2.3.4.5", "1..2", "1.", ".1", "-1", ">=1,<2", ">=1, <2", "1 - ", "- 2", "1 -2", "1- 2", ">=1 - 2", "1 - 2 3", "!1", "!=1", ">>1", "=>1", "1 | 2", "1 && 2", "1.2.y", "(1)", "1;2", "1.x.3", "x.1", "1 - 2 - 3"];
for (const range of none) if (semver.validRange(range) !== null) console.error("valid after all:", range);
const table = {};
for (const range of ranges) {
  if (semver.validRange(range) === null) { console.error("no range:", range); continue; }
  table[range] = versions.map((version) => (semver.satisfies(version, range) ? "1" : "0")).join("");
}
const head = {
  made: `npm's semver ${require("semver/package.json").version}: semver.satisfies of each range and version; a 1 is a version that the range admits, in the order of \`versions\`. \`none\` are texts of which semver.validRange makes nothing. Made by semver-ranges.js.`,
  versions, none: none.filter((range) => semver.validRange(range) === null),
};
const rows = Object.entries(table).map(([range, admitted]) => `    ${JSON.stringify(range)}: ${JSON.stringify(admitted)}`);
console.log(`{\n  "made": ${JSON.stringify(head.made)},\n  "versions": ${JSON.stringify(head.versions)},\n  "none": ${JSON.stringify(head.none)},\n  "ranges": {\n${rows.join(",\n")}\n  }\n}`);
