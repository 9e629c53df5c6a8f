/**
 * The one module that asks a server: ours, for a payload that lies beside the script itself. No saved
 * page has it.
 * @param {string} fingerprint
 */
export async function fetchPayload(fingerprint) {
  const response = await fetch(new URL(`../payload/${fingerprint}`, import.meta.url));
  if (!response.ok) throw new Error(`The payload was answered by ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}
