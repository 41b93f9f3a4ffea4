/*
 * crc32.mjs: CRC-32 (IEEE), which S3 clients send as x-amz-checksum-crc32:
 * four bytes, most significant first.  Check value: "123456789" gives
 * cbf43926.
 */
const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;

  for (let bit = 0; bit < 8; bit++)
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export class Crc32 {
  #value = -1;

  update(bytes) {
    let value = this.#value;

    for (let i = 0; i < bytes.length; i++)
      value = (value >>> 8) ^ table[(value ^ bytes[i]) & 0xff];
    this.#value = value;
    return this;
  }

  digest() {
    const bytes = Buffer.alloc(4);

    bytes.writeInt32BE(~this.#value);
    return bytes;
  }
}
