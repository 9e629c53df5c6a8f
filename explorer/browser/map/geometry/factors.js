import { print } from "../../shared/dom.js";

const MOST_WORDS = 6;

/**
 * What some codes say of a factor: mean ± standard deviation of a number, counts of words.
 * @param {import("../../model/header.js").Factor} factor
 * @param {number[]} indices
 */
export function tellFactor({ words, values }, indices) {
  if (words) {
    const counts = words.map(() => 0);
    for (const i of indices) counts[values[i]] += 1;
    const told = words.map((word, n) => ({ word, count: counts[n] })).filter(({ count }) => count);
    told.sort((a, b) => b.count - a.count);
    const most = told.slice(0, MOST_WORDS).map(({ word, count }) => `${word}: ${count}`);
    return [...most, ...(told.length > MOST_WORDS ? ["…"] : [])].join(", ") || "–";
  }
  const known = indices.map((i) => values[i]).filter(Number.isFinite);
  if (!known.length) return "–";
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  if (known.length < 2) return `${print(mean)} ± –`;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return `${print(mean)} ± ${print(Math.sqrt(squares / (known.length - 1)))}`;
}
