import assert from "node:assert/strict";
import test from "node:test";
import { cleanName, cleanNumber, digest, variantOf, writeLine } from "../../explorer/browser/site/line.js";

test("a name is one line that no table takes for a formula", () => {
  assert.equal(cleanName('=HYPERLINK("http://a")'), "HYPERLINK( http://a )");
  assert.equal(cleanName("  @-+ Ada\n\t Lovelace "), "Ada Lovelace");
  assert.equal(cleanName("李雷"), "李雷");
  assert.equal(cleanName("=+-"), "");
  assert.equal(Array.from(cleanName("é".repeat(200))).length, 80);
});

test("numbers are read as they are typed, and nothing else is one", () => {
  const read = { "3,42": "3.42", " −1.5 ": "-1.5", "+2": "2", "１２．５": "12.5", "1e-3": "1e-3" };
  for (const [typed, number] of Object.entries(read)) assert.equal(cleanNumber(typed), number);
  for (const typed of ["", "1,234,5", "NaN", "Infinity", "0x10", "=1", "1.2.3"]) assert.equal(cleanNumber(typed), "");
});

test("the digest is FNV-1a (Noll's table for \"\" and \"a\") after MurmurHash3's mixing", () => {
  const mix = (h) => {
    let v = BigInt(h);
    v = ((v ^ (v >> 16n)) * 0x85ebca6bn) & 0xffffffffn;
    v = ((v ^ (v >> 13n)) * 0xc2b2ae35n) & 0xffffffffn;
    return Number(v ^ (v >> 16n));
  };
  assert.equal(digest(""), mix(0x811c9dc5));
  assert.equal(digest("a"), mix(0xe40c292c));
});

// tests/export/exercises/test_page.py asks Python for the same with the same words.
if (process.env.EXERCISE_CASES) {
  for (const { sheet, name, numbers, line, variant } of JSON.parse(process.env.EXERCISE_CASES)) {
    test(`Python writes the same line for ${name}`, () => {
      assert.equal(writeLine(sheet, cleanName(name), numbers), line);
      assert.equal(variantOf({ id: "gap", seed: 7, variants: [1, 2, 3, 4, 5] }, name), variant);
    });
  }
}
