/*
 * sinks.mjs: where bodies are counted and dropped instead of kept.  Such an
 * object is listed, and HEAD tells its size, ETag and CRC; only its bytes are
 * gone.
 *
 * A checksum that is not computed is not told either: without CRC64 there is
 * no x-tos-hash-crc64ecma, without MD5 the ETag is made of the CRC64 or of
 * chance.  What a client sends to have its body compared is always compared.
 */
const CHECKSUMS = {
  all: { md5: true, crc64: true },
  md5: { md5: true, crc64: false },
  crc64: { md5: false, crc64: true },
  none: { md5: false, crc64: false },
};

const KEPT = { keep: true, checksums: CHECKSUMS.all };

export function createSinks() {
  let sinks = [];

  return {
    add(wish) {
      const { bucket = null, prefix = '', checksums = 'all', ...rest } = wish ?? {};

      if (Object.keys(rest).length > 0)
        throw new Error(`"${Object.keys(rest)[0]}" has no meaning for a sink`);
      if ((bucket !== null && typeof bucket !== 'string') || typeof prefix !== 'string')
        throw new Error('"bucket" is a name or null, "prefix" a text');
      if (!Object.hasOwn(CHECKSUMS, checksums))
        throw new Error(`"checksums" is one of ${Object.keys(CHECKSUMS).join(', ')}`);
      sinks.push({ bucket, prefix, checksums });
    },
    clear() {
      sinks = [];
    },
    list: () => sinks,

    /* What is done with a body: { keep, checksums: { md5, crc64 } } */
    storageFor(bucket, key) {
      const sink = sinks.find((one) => (one.bucket === null || one.bucket === bucket)
        && key.startsWith(one.prefix));

      return sink === undefined ? KEPT : { keep: false, checksums: CHECKSUMS[sink.checksums] };
    },
  };
}
