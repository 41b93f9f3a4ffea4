/*
 * bodies.mjs: takes in the body of a request, into a file or into nothing,
 * and computes its checksums on the way.  No body is ever held in memory.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { Crc32 } from './crc32.mjs';
import { Crc64 } from './crc64.mjs';

/* The digests that a client may have a body compared with. */
export function createDigest(name) {
  return name === 'crc32' ? new Crc32() : createHash(name);
}

/* An ETag is opaque; one made without MD5 still has its form. */
function makeEtag(md5, crc64) {
  const hex = md5?.toString('hex')
    ?? (crc64 === null ? randomBytes(16).toString('hex') : BigInt(crc64).toString(16).padStart(32, '0'));

  return `"${hex}"`;
}

/*
 * dir: where files are while they are received; what lies there from before
 * is removed.
 */
export function openBodies(dir) {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });

  return {
    dir,

    /*
     * Take in a body from a source of chunks.  digests: names of those wanted;
     * keep: whether there shall be a file; checksums: { md5, crc64 }, which of
     * the store's own checksums are computed.  Returns { file, path, size,
     * etag, crc64, digests }; file and path are null if nothing is kept, crc64
     * is null if it was not computed.  The result belongs to the caller, who
     * has it adopted (bucket_files.mjs) or hands it to discard.
     */
    async receive(source, { digests, keep, checksums }) {
      const wanted = new Set([...digests, ...(checksums.md5 ? ['md5'] : [])]);
      const running = new Map([...wanted].map((name) => [name, createDigest(name)]));
      const crc64 = checksums.crc64 ? new Crc64() : null;
      const file = keep ? randomBytes(12).toString('hex') : null;
      const path = keep ? join(dir, file) : null;
      const handle = keep ? await open(path, 'wx', 0o600) : null;
      let size = 0;
      let writing = Promise.resolve();

      try {
        /* a chunk is written while it and the next one are hashed */
        for await (const chunk of source) {
          await writing;
          writing = handle?.writeFile(chunk);
          writing?.catch(() => {});
          for (const digest of running.values())
            digest.update(chunk);
          crc64?.update(chunk);
          size += chunk.length;
        }
        await writing;
      } catch (error) {
        await writing?.catch(() => {});
        if (keep)
          rmSync(path);
        throw error;
      } finally {
        await handle?.close();
      }

      const results = new Map([...running].map(([name, digest]) => [name, digest.digest()]));
      const crc64Text = crc64?.decimal() ?? null;

      return {
        file,
        path,
        size,
        etag: makeEtag(results.get('md5'), crc64Text),
        crc64: crc64Text,
        digests: results,
      };
    },

    discard(received) {
      if (received.path !== null)
        rmSync(received.path, { force: true });
    },
  };
}
