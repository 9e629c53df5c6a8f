/**
 * The one line in which a student's answers travel; `explorer/export/exercises` reads it back. Every
 * field is quoted and begins with a letter or "#", so that no table takes one for a formula.
 */

const MARK = "latent-explorer 1";
const LONGEST_NAME = 80;

/**
 * 32 bits of a text: FNV-1a over its UTF-8, then MurmurHash3's last mixing.
 * @param {string} text
 */
export function digest(text) {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/**
 * A name as the line has it: one line, no quotes, nothing before the first letter or digit.
 * @param {string} typed
 */
export function cleanName(typed) {
  const plain = typed.normalize("NFC").replace(/["“”„«»＂|\p{C}]/gu, " ").replace(/\s+/g, " ");
  return Array.from(plain.replace(/^[^\p{L}\p{N}]+/u, "")).slice(0, LONGEST_NAME).join("").trim();
}

/**
 * A number as `Number` reads it, from what is typed in any of our languages, or "" for none.
 * @param {string} typed
 */
export function cleanNumber(typed) {
  const plain = typed.normalize("NFKC").replace(/\s/g, "").replace(/[−–]/g, "-");
  const text = /^[^.,]*,[^.,]*$/.test(plain) ? plain.replace(",", ".") : plain;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? text.replace(/^\+/, "") : "";
}

/**
 * Which of a question's variants a student is asked.
 * @param {{id: string, seed: number, variants: unknown[]}} question
 * @param {string} name as `cleanName` has it
 */
export function variantOf({ id, seed, variants }, name) {
  return digest(`${seed}|${id}|${name}`) % variants.length;
}

/**
 * @param {string} sheet
 * @param {string} name
 * @param {[string, string][]} numbers by question
 */
export function writeLine(sheet, name, numbers) {
  const fields = [MARK, sheet, name, ...numbers.map(([id, value]) => `${id}=${value}`)];
  const seal = digest(fields.join("|")).toString(16).padStart(8, "0");
  return [...fields, `#${seal}`].map((field) => `"${field}"`).join(",");
}
