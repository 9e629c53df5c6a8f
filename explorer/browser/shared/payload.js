/**
 * The payload: one bytes object, a JSON header and aligned arrays (explorer/export/container.py).
 * @typedef {Float32Array | Uint8Array | Int32Array} Values
 */

const MAGIC = 0x3150584c; // "LXP1", little-endian

/** @type {Record<string, (buffer: ArrayBufferLike, start: number, count: number) => Values>} */
const READERS = {
  f32: (buffer, start, count) => new Float32Array(buffer, start, count),
  f16: (buffer, start, count) => widenHalves(new Uint16Array(buffer, start, count)),
  u8: (buffer, start, count) => new Uint8Array(buffer, start, count),
  i32: (buffer, start, count) => new Int32Array(buffer, start, count),
};

/**
 * Read the payload; every array reference in the header becomes a typed array with a `shape`.
 * @param {Uint8Array} bytes
 * @returns {any}
 */
export function readPayload(bytes) {
  const { header, start } = readHeader(bytes);
  // Views need aligned offsets, and a message's bytes may start anywhere in their buffer.
  const aligned = (bytes.byteOffset + start) % 16 === 0;
  const body = aligned ? bytes : bytes.slice(start);
  const origin = aligned ? bytes.byteOffset + start : 0;
  return resolve(header, body.buffer, origin);
}

/**
 * @param {Uint8Array} bytes
 * @returns {{header: any, start: number}} the header as stored, and where the arrays begin
 */
export function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 8 || view.getUint32(0, true) !== MAGIC) {
    throw new Error("This is not a latent-map payload.");
  }
  const start = 8 + view.getUint32(4, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), start };
}

/**
 * @param {any} value the header or a part of it
 * @param {ArrayBufferLike} buffer
 * @param {number} origin where in the buffer the arrays begin
 * @returns {any}
 */
function resolve(value, buffer, origin) {
  if (Array.isArray(value)) return value.map((item) => resolve(item, buffer, origin));
  if (value === null || typeof value !== "object") return value;
  if (typeof value.array === "number" && Array.isArray(value.shape)) {
    /** @type {number[]} */
    const shape = value.shape;
    const count = shape.reduce((product, size) => product * size, 1);
    const values = READERS[value.type](buffer, origin + value.array, count);
    return Object.assign(values, { shape });
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolve(item, buffer, origin)]),
  );
}

/** @type {Float32Array | null} */
let halves = null;

/**
 * Widen IEEE half-precision numbers exactly.
 * @param {Uint16Array} bits
 * @returns {Float32Array}
 */
export function widenHalves(bits) {
  halves ??= Float32Array.from({ length: 65536 }, (_, code) => widenHalf(code));
  const table = halves;
  const wide = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) wide[i] = table[bits[i]];
  return wide;
}

/** @param {number} code */
function widenHalf(code) {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const fraction = code & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
