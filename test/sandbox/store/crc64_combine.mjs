/*
 * crc64_combine.mjs: the CRC-64/XZ of two byte strings put together, from the
 * CRCs of the two and the length of the second alone.
 *
 * A CRC is a polynomial modulo the generator; n further bytes multiply it by
 * x^(8n).  Polynomials are BigInts in the reflected order of the CRC: bit 63
 * is the coefficient of x^0.
 */
const POLYNOMIAL = 0xc96c5795d7870f42n;
const ONE = 1n << 63n;
const MAX_CACHED = 1000;

function multiply(left, right) {
  let product = 0n;
  let shifted = right;

  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (left & bit)
      product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return product;
}

/* x^(8 * 2^k) for each k, as far as it was needed */
const squares = [ONE >> 8n];
/* number of bytes to x^(8n): parts of one upload have one length */
const powers = new Map();

function powerOfBytes(n) {
  let power = powers.get(n);

  if (power !== undefined)
    return power;
  power = ONE;
  for (let k = 0, left = n; left > 0; k++, left = Math.floor(left / 2)) {
    squares[k] ??= multiply(squares[k - 1], squares[k - 1]);
    if (left % 2 === 1)
      power = multiply(power, squares[k]);
  }
  if (powers.size >= MAX_CACHED)
    powers.clear();
  powers.set(n, power);
  return power;
}

/* Decimal in, decimal out; n: how many bytes `second` is the CRC of. */
export function combineCrc64(first, second, n) {
  return (multiply(powerOfBytes(n), BigInt(first)) ^ BigInt(second)).toString();
}
