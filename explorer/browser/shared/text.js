/**
 * The sentences of the page, by key, from the catalogue that Python hands over.
 * @typedef {(key: string, values?: Record<string, string | number>) => string} Text
 * @param {Record<string, string>} catalogue
 * @returns {Text} the sentence of a key, with {names} filled in
 */
export function createText(catalogue) {
  return (key, values = {}) =>
    (catalogue[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) =>
      name in values ? String(values[name]) : whole,
    );
}

/**
 * Sentences one after another, with a space between where the language has one.
 * @param {string | undefined} language
 * @param {string[]} sentences
 */
export function joinSentences(language, sentences) {
  return sentences.join(language?.startsWith("zh") ? "" : " ");
}
